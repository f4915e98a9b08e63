"""What may import what, and where things are."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["hate_speech_AI", "api", "hate_speech"]
ALLOWED = {"hate_speech_AI": set(), "api": {"hate_speech_AI"}, "hate_speech": {"hate_speech_AI", "api"}}
# The rooms of the API: each may import those above it, and neither those below it nor its neighbours.
ROOMS = [
    {"web"},
    {"access"},
    {"labels", "verdicts"},
    {"review_queue", "versions"},
    {"compat", "pages", "health"},
    {"management", "urls", "models", "admin", "checks"},
    {"apps"},
]
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
# Where rows are written; everywhere else they are read.
WRITERS = {"services", "quota", "audit", "recording", "sides", "suggestions", "trainings", "withdrawals", "lease", "migrations"}
WRITES = {"save", "create", "update_or_create", "get_or_create", "bulk_create", "bulk_update", "delete"}
# What changes the model store.
STORE_WRITES = {"activate", "unpin", "remove", "sweep"}


def imports(path: Path) -> set[str]:
    """Return the full names of all that a module imports, relative imports among them."""
    names = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (above, node.module)))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def room_of(name: str) -> str | None:
    """Return the room that a full name of the API is in; `None` outside the API."""
    parts = name.split(".")
    return parts[1] if parts[0] == "api" and len(parts) > 1 else None


def api_modules() -> list[Path]:
    return [path for path in (ROOT / "api").rglob("*.py") if "migrations" not in path.parts]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    for path in (ROOT / package).rglob("*.py"):
        for name in imports(path):
            other = name.split(".")[0]
            if other in PACKAGES and other != package:
                assert other in ALLOWED[package], f"{path.relative_to(ROOT)} imports {name}"


def test_each_room_imports_only_those_above_it():
    for path in api_modules():
        room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if room == "__init__":
            continue
        assert room in LEVELS, f"{room} has no place in the order of rooms"
        for name in imports(path):
            other = room_of(name)
            if other is not None and other != room:
                assert LEVELS[other] < LEVELS[room], f"{path.relative_to(ROOT)} imports {name}"


def test_every_room_is_there():
    there = {path.name.removesuffix(".py") for path in (ROOT / "api").iterdir()}
    assert set(LEVELS) <= there


def test_rows_are_written_by_services_alone():
    for path in api_modules():
        if path.stem in WRITERS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            written_on = ast.unparse(node.func.value)
            writes = node.func.attr in WRITES and written_on != "super()"
            writes |= node.func.attr == "update" and ".objects" in written_on
            writes |= node.func.attr in STORE_WRITES and written_on.endswith("store")
            assert not writes, f"{path.relative_to(ROOT)}:{node.lineno} writes"


def test_trust_is_asked_in_one_place():
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in api_modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.If, ast.IfExp)) and "is_trusted" in ast.unparse(node.test)
    }
    # The command that lists the keys says which are trusted.
    assert asking == {"api/labels/services.py", "api/management/commands/api_keys.py"}


def test_tweets_are_created_and_locked_in_one_place():
    for path in api_modules():
        names = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        if path == ROOT / "api/labels/recording.py":
            continue
        assert not names & {f"Tweet.objects.{write}" for write in (*WRITES, "select_for_update")}, path
        if path.relative_to(ROOT).parts[1] in ("labels", "review_queue"):
            # What these write may conflict with what others write.
            assert not {name for name in names if name.endswith((".select_for_update", "transaction.atomic"))}, path


def test_verdicts_are_asked_for_in_one_place():
    ways = {"classifier.current", "classifier.predict", "classifier.predict_single_tweet", "classifier.explain"}
    asking = [
        path.relative_to(ROOT).as_posix()
        for path in api_modules()
        if ways & {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
    ]
    assert asking == ["api/verdicts/services.py"]


def test_the_classifier_package_knows_no_django():
    for path in (ROOT / "hate_speech_AI").rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] in ("django", "rest_framework", "celery")}, path


def test_the_service_never_imports_the_recipe():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "recipe" not in path.parts:
                assert not {name for name in imports(path) if ".recipe" in name}, path


def test_the_names_people_look_for_are_there():
    from api.labels.serializers import ReviewedTweetInputSerializer
    from api.labels.views import AddReviewedTweetManuallyView
    from api.verdicts.serializers import TweetInputSerializer
    from api.verdicts.views import PredictHateSpeechView
    from api.versions.views import GetScoreView
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


def test_a_training_is_enqueued_by_the_name_of_its_task():
    from api.versions.trainings import TRAINING_TASK
    from hate_speech.tasks import auto_first_train_model

    assert auto_first_train_model.name == TRAINING_TASK


def test_every_view_says_who_may_use_it():
    for path in api_modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ClassDef) or not node.name.endswith("View") or node.name.startswith("_"):
                continue
            named = {ast.unparse(target) for line in node.body if isinstance(line, ast.Assign) for target in line.targets}
            assert "permission_classes" in named, f"{path.relative_to(ROOT)}: {node.name}"


def own_modules() -> list[Path]:
    """Return the modules of the three packages, but for the recipe and the migrations."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in paths if not {"recipe", "migrations"} & {*path.parts}]


def test_modules_and_functions_stay_short():
    for path in own_modules():
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 40, f"{path}: {node.name}"


def test_only_the_registry_knows_which_engines_there_are():
    for path in own_modules():
        if (ROOT / "hate_speech_AI/engines") not in path.parents:
            named = {name.rsplit(".", 1)[-1] for name in imports(path)} & {"EncoderEngine", "LinearEngine"}
            assert not named, f"{path.relative_to(ROOT)} imports {named}"


def test_only_one_module_spells_out_what_labels_there_are():
    from hate_speech_AI.labels import IMPLIES, PRIMARY

    for path in own_modules():
        literals = {node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)}
        assert not literals & {*IMPLIES[PRIMARY]} or path == ROOT / "hate_speech_AI/labels.py", path
