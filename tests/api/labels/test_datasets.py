"""Public datasets: read as they are published, downloaded from a local server that stands in for their homes."""

import csv
import dataclasses
import gc
import hashlib
import json

import pytest
from django.core.management import CommandError, call_command

from api.labels import datasets
from api.labels.models import Label, Tweet
from api.labels.recording import record_labels
from api.labels.selectors import count_labelled_rows

pytestmark = pytest.mark.django_db

DAVIDSON = (
    b',count,hate_speech,offensive_language,neither,class,tweet\n0,3,3,0,0,0,"first, with\na line end"\n1,3,0,3,0,1,second\n'
)


def write_csv(path, header, *rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def labels():
    rows = Label.objects.order_by("id").values_list("tweet__text", "value", "source", "reference")
    return {text: rest for text, *rest in rows}


def run(name, path):
    call_command("import_dataset", name, "--from", str(path), "--yes")
    return labels()


def test_davidson(tmp_path):
    (tmp_path / "labeled_data.csv").write_bytes(DAVIDSON)
    assert run("davidson", tmp_path / "labeled_data.csv") == {
        "first, with\na line end": [True, "import:davidson", "row 0"],
        "second": [False, "import:davidson", "row 1"],
    }


def test_hatexplain_takes_the_majority_and_drops_ties(tmp_path):
    def post(*said):
        return {"annotators": [{"label": label} for label in said], "post_tokens": ["post", *said]}

    posts = {
        "a": post("hatespeech", "hatespeech", "normal"),
        "b": post("offensive", "offensive", "hatespeech"),
        "c": post("normal", "offensive", "hatespeech"),
        "d": post("hatespeech", "hatespeech", "hatespeech"),
    }
    (tmp_path / "dataset.json").write_text(json.dumps(posts))
    (tmp_path / "post_id_divisions.json").write_text(json.dumps({"train": ["a", "c"], "val": ["b"], "test": ["d"]}))
    for path in (tmp_path / "dataset.json", tmp_path):
        assert run("hatexplain", path) == {
            "post hatespeech hatespeech normal": [True, "import:hatexplain", "train:a"],
            "post offensive offensive hatespeech": [False, "import:hatexplain", "val:b"],
        }


def test_dynahate_leaves_its_test_split_out(tmp_path, capsys):
    path = write_csv(
        tmp_path / "dynahate.csv",
        ["text", "label", "split", "type", "target"],
        ("one", "hate", "train", "none", "none"),
        ("two", "nothate", "dev", "none", "none"),
        ("three", "hate", "test", "none", "none"),
        ("THREE ", "nothate", "train", "none", "none"),
    )
    assert run("dynahate", path) == {
        "one": [True, "import:dynahate", "train:row 0"],
        "two": [False, "import:dynahate", "dev:row 1"],
    }
    assert "1 rows of its test split" in capsys.readouterr().out
    assert Tweet.objects.count() == 2


def test_hatemoji_build_takes_the_folder(tmp_path):
    header = ["entry_id", "text", "split", "label_gold"]
    for at, split in enumerate(("train", "dev", "test")):
        name = {"dev": "validation"}.get(split, split)
        write_csv(tmp_path / f"{name}.csv", header, (at, f"text 🌞 {split}", split, at % 2))
    assert set(run("hatemoji_build", tmp_path)) == {"text 🌞 train", "text 🌞 dev"}


def test_edos(tmp_path):
    path = write_csv(
        tmp_path / "edos.csv",
        ["rewire_id", "text", "label_sexist", "split"],
        ("x-1", "one", "sexist", "train"),
        ("x-2", "two", "not sexist", "dev"),
    )
    assert run("edos", path) == {"one": [True, "import:edos", "train:x-1"], "two": [False, "import:edos", "dev:x-2"]}


def test_stormfront_as_published(tmp_path):
    (tmp_path / "all_files").mkdir()
    (tmp_path / "sampled_test").mkdir()
    for name in ("1_1", "1_2", "1_3", "1_4"):
        (tmp_path / "all_files" / f"{name}.txt").write_text(f"sentence {name}")
    (tmp_path / "sampled_test" / "1_2.txt").write_text("sentence 1_2")
    write_csv(
        tmp_path / "annotations_metadata.csv",
        ["file_id", "user_id", "label"],
        ("1_1", "7", "hate"),
        ("1_2", "7", "hate"),
        ("1_3", "7", "idk/skip"),
        ("1_4", "7", "noHate"),
    )
    assert run("stormfront", tmp_path / "annotations_metadata.csv") == {
        "sentence 1_1": [True, "import:stormfront", "1_1"],
        "sentence 1_4": [False, "import:stormfront", "1_4"],
    }


def test_twitter_sentiment(tmp_path):
    path = write_csv(tmp_path / "train.csv", ["id", "label", "tweet"], ("1", "0", "one"), ("2", "1", "two"))
    assert run("twitter_sentiment", path)["two"] == [True, "import:twitter_sentiment", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DAVIDSON.replace(b"class", b"klass"), "no column class"),
        (DAVIDSON + b"2,3,0,3,0,7,third\n", "holds the label '7'"),
        (DAVIDSON + b"2,3,0\n", "cut off in line"),
        (b"", "no column"),
    ],
)
def test_a_changed_file_imports_nothing(tmp_path, content, message):
    (tmp_path / "labeled_data.csv").write_bytes(content)
    with pytest.raises(CommandError, match=message):
        run("davidson", tmp_path / "labeled_data.csv")
    assert Tweet.objects.count() == Label.objects.count() == 0


def test_a_storing_that_fails_leaves_nothing(tmp_path, monkeypatch):
    rows = [(n, 3, 0, 0, 3, n % 3, f"text {n}") for n in range(1200)]
    path = write_csv(tmp_path / "labeled_data.csv", DAVIDSON.decode().split("\n")[0].split(","), *rows)
    record, calls = record_labels, []

    def fails_later(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no space left on device")
        return record(*arguments, **options)

    monkeypatch.setattr("api.labels.services.record_labels", fails_later)
    with pytest.raises(OSError, match="no space"):
        run("davidson", path)
    assert Tweet.objects.count() == 0


@pytest.fixture
def home(web, monkeypatch, settings, tmp_path):
    """Let davidson's home be the tests' own server, and its data folder be empty."""
    settings.DATA_DIR = tmp_path
    dataset = dataclasses.replace(
        datasets.DATASETS["davidson"], url=web.url + "/{}", files={"labeled_data.csv": hashlib.sha256(DAVIDSON).hexdigest()}
    )
    monkeypatch.setitem(datasets.DATASETS, "davidson", dataset)
    return web


def test_a_download_is_checked_and_kept(home, capsys):
    home.pages["/labeled_data.csv"] = DAVIDSON
    for _ in range(2):
        call_command("import_dataset", "davidson", "--yes")
    assert len(labels()) == 2
    assert home.asked == ["/labeled_data.csv"]
    shown = capsys.readouterr().out
    assert "Licence: MIT" in shown
    assert "Please cite: Davidson" in shown


@pytest.mark.parametrize(
    ("page", "message"),
    [(DAVIDSON + b"x", "its sha256 differs"), (lambda handler: (404, {}, b""), "cannot be had"), (None, "cannot be had")],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_download_that_fails_is_one_clear_line(home, monkeypatch, page, message):
    if page is None:
        nobody = dataclasses.replace(datasets.DATASETS["davidson"], url="http://127.0.0.1:9/{}")
        monkeypatch.setitem(datasets.DATASETS, "davidson", nobody)
    else:
        home.pages["/labeled_data.csv"] = page
    with pytest.raises(CommandError, match=message) as caught:
        call_command("import_dataset", "davidson", "--yes")
    assert "\n" not in str(caught.value)
    assert Tweet.objects.count() == 0
    del caught
    gc.collect()  # pooch leaves the refused answer open; here its warning is expected


def test_without_a_checksum_nothing_is_downloaded():
    with pytest.raises(CommandError, match="--from FILE"):
        call_command("import_dataset", "dynahate", "--yes")


def test_the_licence_is_asked_for_once(tmp_path, monkeypatch):
    (tmp_path / "labeled_data.csv").write_bytes(DAVIDSON)
    arguments = ("import_dataset", "davidson", "--from", str(tmp_path))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="--yes"):
        call_command(*arguments)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command(*arguments)
    assert Tweet.objects.count() == 0
    monkeypatch.setattr("builtins.input", lambda question: "y")
    call_command(*arguments)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked again"))
    call_command(*arguments)
    assert count_labelled_rows() == 2


@pytest.mark.parametrize("name", sorted(datasets.DATASETS))
@pytest.mark.slow
def test_the_real_files_are_read(datasets_folder, name):
    """Every row of the real files has a known label, and no text of a test split is to be trained on."""
    dataset = datasets.DATASETS[name]
    path = next(iter(sorted((datasets_folder / name).glob("*.csv"))))
    paths = sorted((datasets_folder / name).glob("*.csv")) if name == "hatemoji_build" else [path]
    rows, counts = datasets.read_training_rows(dataset, paths)
    expected = {
        "davidson": (24_771, 1_429),
        "edos": (16_000, None),
        "twitter_sentiment": (29_481, 2_007),
        "hatemoji_build": (None, None),
        "dynahate": (None, None),
        "hatexplain": (None, None),
        "stormfront": (None, None),
    }[name]
    assert len(rows) > 1000
    if expected[0]:
        assert abs(len(rows) - expected[0]) < 20
    if expected[1]:
        assert sum(row.value for row in rows) == expected[1]
    if name not in ("davidson", "twitter_sentiment"):
        assert counts["test"] > 400
    for file, sha256 in dataset.files.items():
        real = next((path for path in paths if sha256 == hashlib.sha256(path.read_bytes()).hexdigest()), None)
        assert real or not sha256, file
