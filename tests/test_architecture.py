"""What may import what, and where things are."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["hate_speech_AI", "api", "hate_speech"]
# Imports point one way; views and commands may enqueue tasks.
ALLOWED = {"hate_speech_AI": set(), "api": {"hate_speech_AI"}, "hate_speech": {"hate_speech_AI", "api"}}
MAY_ENQUEUE = {
    "api/versions/views.py",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "api/management/commands").glob("*.py")),
}


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    for path in (ROOT / package).rglob("*.py"):
        for name in imports(path):
            other = name.split(".")[0]
            if other not in PACKAGES or other == package:
                continue
            enqueues = name.startswith("hate_speech.tasks") and str(path.relative_to(ROOT)) in MAY_ENQUEUE
            assert other in ALLOWED[package] or enqueues, f"{path.relative_to(ROOT)} imports {name}"


def test_the_classifier_package_knows_no_django():
    for path in (ROOT / "hate_speech_AI").rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] in ("django", "rest_framework", "celery")}, path


def test_the_service_never_imports_the_recipe():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert not {name for name in imports(path) if ".recipe" in name}, path


def test_the_names_people_look_for_are_there():
    from api.verdicts.serializers import TweetInputSerializer
    from api.verdicts.views import PredictHateSpeechView
    from api.versions.serializers import ReviewedTweetInputSerializer
    from api.versions.views import AddReviewedTweetManuallyView, GetScoreView
    from hate_speech.tasks import auto_first_train_model
    from hate_speech_AI.core import classifier
    from hate_speech_AI.text import clean_and_tokenize_string

    assert PredictHateSpeechView.serializer_class is TweetInputSerializer
    assert AddReviewedTweetManuallyView.serializer_class is ReviewedTweetInputSerializer
    assert auto_first_train_model.name == "hate_speech.tasks.auto_first_train_model"
    assert callable(clean_and_tokenize_string)
    assert GetScoreView
    for method in ("predict", "predict_single_tweet", "train_model", "get_score"):
        assert callable(getattr(classifier, method))


def test_every_view_says_who_may_use_it():
    from api.versions import views

    for name in dir(views):
        if name.endswith("View") and getattr(views, name).__module__ == "api.versions.views":
            assert "permission_classes" in vars(getattr(views, name)), name
