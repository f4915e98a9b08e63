import csv
import json
import time

import pytest


@pytest.fixture
def file(tmp_path):
    def write(header, rows):
        path = tmp_path / "cases.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, *rows])
        return str(path)

    return write


HATEFUL, OTHER = "nobody should have to live next to refugees", "what a lovely morning in the park"


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
def test_presets_know_the_columns(service, file, preset, cases, columns):
    path = file(cases[0], cases[1:])
    done = service.manage("evaluate", path, "--preset", preset, "--json", "-")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["all"]["n"] == 2
    assert figures["all"]["majority_accuracy"] == 0.5
    assert {column: set(groups) for column, groups in figures["groups"].items()} == columns
    table = service.manage("evaluate", path, "--preset", preset).stdout
    assert "By functionality:" in table


def test_what_it_may_have_learned_from_is_counted(service, file):
    service.client.post("/reviewed", json={"tweet": "a text that is evaluated too", "is_hate_speech": False})
    done = service.manage(
        "evaluate", file(["label", "tweet"], [(0, "a text that is evaluated too"), (1, "keep refugees out of my soup")])
    )
    assert "1 of the texts have a label here" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--preset", "hatecheck"], "no columns 'test_case'"), (["--group-column", "town"], "'town'")],
)
def test_a_missing_column_is_one_clear_line(service, file, arguments, message):
    done = service.manage("evaluate", file(["label", "tweet"], [(1, HATEFUL)]), *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_version_it_says_so(new_service, file):
    fresh = new_service()
    fresh.migrate()
    done = fresh.manage("evaluate", file(["label", "tweet"], [(1, HATEFUL)]))
    assert done.returncode == 1
    assert "first training" in done.stderr


@pytest.mark.slow
def test_ten_thousand_texts_take_under_half_a_minute(service, file):
    path = file(["label", "tweet"], [(number % 2, f"{OTHER}, number {number}, and nothing else") for number in range(10_000)])
    began = time.monotonic()
    assert service.manage("evaluate", path).returncode == 0
    assert time.monotonic() - began < 30
