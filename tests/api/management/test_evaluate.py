import csv
import json
import uuid

import pytest
from django.core.management import CommandError, call_command

from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.labels import PRIMARY

from ...pretrained import ATTACKING


@pytest.fixture
def file(tmp_path):
    def write(header, rows):
        path = tmp_path / "cases.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, *rows])
        return str(path)

    return write


HATEFUL, OTHER = "nobody should have to live next to refugees", "what a lovely morning in the park"


@pytest.mark.embedded
def test_figures_as_a_table_and_as_json(service, file, tmp_path):
    path = file(["label", "tweet"], [(1, HATEFUL), (0, OTHER), (0, "good night"), ("", "bad row"), (0, "see you soon")])
    done = service.manage("evaluate", path, "--json", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    assert "line 5: no label" in done.stderr
    for word in ("accuracy", "majority_accuracy", "macro_f1", "roc_auc", "calibration_error"):
        assert word in done.stdout
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["version"] == service.active_version()
    assert figures["bad_rows"] == 1
    assert figures["all"]["n"] == 4
    assert figures["all"]["majority_accuracy"] == 0.75
    verdicts = service.client.post("/predict", json={"tweets": [HATEFUL, OTHER, "good night", "see you soon"]}).json()["results"]
    right = [verdict["is_hate_speech"] == label for verdict, label in zip(verdicts, (True, False, False, False), strict=True)]
    assert figures["all"]["accuracy"] == sum(right) / 4


@pytest.mark.parametrize(
    ("preset", "cases", "columns"),
    [
        (
            "hatecheck",
            [
                ("functionality", "test_case", "label_gold", "target_ident"),
                ("greeting", OTHER, "non-hateful", "women"),
                ("contempt", HATEFUL, "hateful", "refugees"),
            ],
            {"functionality": {"greeting", "contempt"}, "target_ident": {"women", "refugees"}},
        ),
        (
            "hatemojicheck",
            [
                ("text", "label_gold", "functionality", "target"),
                (OTHER + " 🌞", "0", "sun", "none"),
                (HATEFUL + " 🚫", "1", "sign", "refugees"),
            ],
            {"functionality": {"sun", "sign"}, "target": {"none", "refugees"}},
        ),
    ],
)
@pytest.mark.django_db
def test_presets_know_the_columns(store, file, preset, cases, columns, capsys):
    path = file(cases[0], cases[1:])
    call_command("evaluate", path, "--preset", preset, "--json", "-")
    figures = json.loads(capsys.readouterr().out)
    assert figures["all"]["n"] == 2
    assert figures["all"]["majority_accuracy"] == 0.5
    assert {column: set(groups) for column, groups in figures["groups"].items()} == columns
    call_command("evaluate", path, "--preset", preset)
    assert "By functionality:" in capsys.readouterr().out


@pytest.mark.embedded
def test_what_it_may_have_learned_from_is_counted(service, file):
    service.review("a text that is evaluated too", False)
    done = service.manage(
        "evaluate", file(["label", "tweet"], [(0, "a text that is evaluated too"), (1, "keep refugees out of my soup")])
    )
    assert "learned from 1 text: labelled here too" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--preset", "hatecheck"], "no columns 'test_case'"), (["--group-column", "town"], "'town'")],
)
def test_a_missing_column_is_one_clear_line(file, arguments, message):
    with pytest.raises(CommandError, match=message) as caught:
        call_command("evaluate", file(["label", "tweet"], [(1, HATEFUL)]), *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.embedded
def test_another_version_than_the_active_one_can_be_scored(service, file):
    older = service.active_version()
    service.review(f"a text that makes another version {uuid.uuid4()}", False)
    service.train()
    path = file(["label", "tweet"], [(1, HATEFUL), (0, OTHER)])
    done = service.manage("evaluate", path, "--version", older)
    assert f"2 texts by version {older}" in done.stdout, done.stderr
    refused = service.manage("evaluate", path, "--version", "nothing")
    assert refused.returncode == 1
    assert "no version's name" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_version_it_says_so(untrained_service, file):
    done = untrained_service.manage("evaluate", file(["label", "tweet"], [(1, HATEFUL)]))
    assert done.returncode == 1
    assert "first training" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_many_texts_are_judged_a_thousand_at_a_time(file, monkeypatch, capsys):
    asked = []

    def judge(texts, caller, *, with_reviews, version):
        asked.append(len(texts))
        return [Prediction(False, 0.1, 0.5, "v", {PRIMARY: 0.1})] * len(texts)

    monkeypatch.setattr("api.management.judging.judge", judge)
    call_command("evaluate", file(["label", "tweet"], [(n % 2, f"{OTHER}, number {n}") for n in range(2500)]))
    assert asked == [1000, 1000, 500]
    assert "2,500 texts" in capsys.readouterr().out


@pytest.mark.django_db
def test_errors_are_counted_by_the_target_that_the_version_names(with_others, serve_encoder, file, capsys):
    serve_encoder()
    path = file(["label", "tweet"], [(1, ATTACKING), (0, ATTACKING + " No!"), (0, OTHER)])
    verdicts = [prediction.is_hate_speech for prediction in classifier.predict([ATTACKING, ATTACKING + " No!"])]
    call_command("evaluate", path, "--json", "-")
    errors = json.loads(capsys.readouterr().out)["targets"]["women"]
    assert errors == {"hateful": 1, "missed": 1 - verdicts[0], "harmless": 1, "flagged": verdicts[1]}
    call_command("evaluate", path)
    assert "By the group that the version says is attacked:" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_version_that_knows_no_targets_counts_none(store, file, capsys):
    path = file(["label", "tweet"], [(1, HATEFUL), (0, OTHER)])
    call_command("evaluate", path, "--json", "-")
    assert json.loads(capsys.readouterr().out)["targets"] == {}
    call_command("evaluate", path)
    assert "is attacked" not in capsys.readouterr().out
