"""Public datasets: read as they are published, downloaded from a local server that stands in for their homes."""

import csv
import dataclasses
import gc
import hashlib
import json
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from api.labels import datasets
from api.labels.models import Label, Tweet
from api.labels.recording import record_labels
from api.labels.selectors import count_labelled_tweets
from hate_speech_AI.labels import HATE, INSULT, PRIMARY, PROFANITY, THREAT, TOXIC
from hate_speech_AI.text import fingerprint

from ...documents import ROOT

pytestmark = pytest.mark.django_db

DAVIDSON = (
    b',count,hate_speech,offensive_language,neither,class,tweet\n0,3,3,0,0,0,"first, with\na line end"\n1,3,0,3,0,1,second\n'
)
HATEFUL, OFFENSIVE, HARMLESS = {HATE: True, TOXIC: True}, {HATE: False, TOXIC: True}, {HATE: False, TOXIC: False}
IS_HATE, IS_NOT_HATE = {HATE: True}, {HATE: False}


def write_csv(path, header, *rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def labels():
    """Return what is stored of the primary label."""
    rows = Label.objects.filter(name=PRIMARY).order_by("id").values_list("tweet__text", "value", "source", "reference")
    return {text: rest for text, *rest in rows}


def labels_by_text():
    """Return every stored label by text."""
    found = {}
    for text, name, value in Label.objects.order_by("id").values_list("tweet__text", "name", "value"):
        found.setdefault(text, {})[name] = value
    return found


def run(name, path):
    call_command("import_dataset", name, "--from", str(path), "--yes")
    return labels()


def test_davidson(tmp_path):
    (tmp_path / "labeled_data.csv").write_bytes(DAVIDSON)
    assert run("davidson", tmp_path / "labeled_data.csv") == {
        "first, with\na line end": [True, "import:davidson", "row 0"],
        "second": [False, "import:davidson", "row 1"],
    }
    assert labels_by_text() == {"first, with\na line end": HATEFUL, "second": OFFENSIVE}


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
    assert labels_by_text()["post offensive offensive hatespeech"] == OFFENSIVE


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


# A few rows in the format of each dataset that is one table, and what is stored of them.
TABLES = {
    "wiegand": (
        '#SENTENCE_FROM_TWEET\tLABEL\tVERB\n"Quoted" ones ruin all.\tABUSE\truin\n"They like tea.\tOTHER\tlike\n',
        {'"Quoted" ones ruin all.': IS_HATE, '"They like tea.': IS_NOT_HATE},
    ),
    "toxigen": (
        (
            "text,target_group,toxicity_human,label\n"
            "b'they aren\\'t welcome\\nhere',a,4,neutral\n"
            '"b""it\'s \\xc3\\xa7a, tea""",a,1.666666667,hate\n'
            "b'cause I said so,a,2,hate\n"
            "b'left open',a,3.333333333,hate\n"
            "plain,b,5,neutral\n"
        ),
        {
            "they aren't welcome\nhere": HATEFUL,
            "it's \u00e7a, tea": HARMLESS,
            "b'cause I said so": HARMLESS,
            "plain": HATEFUL,
        },
    ),
    "cad": (
        (
            "id\ttext\tlabels\n"
            "a-post\tOne[linebreak]two\tIdentityDirectedAbuse\n"
            'b\t"a "quoted" one\tCounterSpeech,PersonDirectedAbuse\n'
            "c\ttheir party lies\tAffiliationDirectedAbuse\n"
            "d\tboth of them\tAffiliationDirectedAbuse,IdentityDirectedAbuse\n"
            "e\tplease be kind\tCounterSpeech\n"
            "f\tnothing\tNeutral\n"
        ),
        {
            "One\ntwo": HATEFUL,
            '"a "quoted" one': OFFENSIVE,
            "their party lies": OFFENSIVE,
            "both of them": HATEFUL,
            "please be kind": HARMLESS,
            "nothing": HARMLESS,
        },
    ),
    "gab": (
        'text\thd\tcv\tvo\n"a ""quoted"" one"\t1\t0\t0\ncalled for\t0\t1\t0\nvulgar\t0\t0\t1\nboth\t1\t0\t1\nneither\t0\t0\t0\n',
        {'a "quoted" one': HATEFUL, "called for": HATEFUL, "vulgar": OFFENSIVE, "both": HATEFUL, "neither": HARMLESS},
    ),
    "toxic_spans": (
        (
            "text,annotators,any_span,insult,threat,profane\r\n"
            'most did,3,2,2,1,0\r\nhalf did,4,2,2,0,0\r\n"all,\nof them",5,5,0,3,5\r\nnone did,3,0,0,0,0\r\n'
        ),
        {
            "most did": {TOXIC: True, INSULT: True, THREAT: False, PROFANITY: False},
            "all,\nof them": {TOXIC: True, INSULT: False, THREAT: True, PROFANITY: True},
        },
    ),
    "context_toxicity": (
        'id,text,label,api,parent\n7.7,"a ""quoted""\none",1,0.9,\n7.8,tidy the page,0,0.1,\n',
        {'a "quoted"\none': {TOXIC: True}, "tidy the page": HARMLESS},
    ),
    "implicit_hate": (
        'post\tclass\r\n"a ""quoted"" one"\timplicit_hate\r\nopenly said\texplicit_hate\r\ngood morning\tnot_hate\r\n',
        {'a "quoted" one': IS_HATE, "openly said": IS_HATE, "good morning": IS_NOT_HATE},
    ),
    "measuring_hate_speech": ('text,label\n"one, two",1\nthree,0\n', {"one, two": IS_HATE, "three": IS_NOT_HATE}),
    "dynahate": (
        'text,label,split\r\n"carried\rback",1,train\r\n"over\r\nlines",0,dev\r\nkept out,1,test\r\n',
        {"carried\rback": IS_HATE, "over\r\nlines": IS_NOT_HATE},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_as_it_was_posted_and_meant(tmp_path, name):
    content, expected = TABLES[name]
    path = tmp_path / next(iter(datasets.DATASETS[name].files))
    path.write_bytes(content.encode())
    run(name, tmp_path)
    assert labels_by_text() == expected
    assert set(Label.objects.values_list("source", flat=True)) == {f"import:{name}"}


def damage(content, how):
    """Return `content` with other names in its header, with unknown labels in its last row, or cut off after that row's text."""
    delimiter = "\t" if "\t" in content else ","
    lines = content.rstrip().splitlines()
    if how == "no column":
        return content.replace(delimiter, f"{delimiter}x", lines[0].count(delimiter))
    first, *fields = lines[-1].split(delimiter)
    changed = [first, *("unheard of" for _ in fields)] if how == "holds the label" else [first]
    return content.rstrip().removesuffix(lines[-1]) + delimiter.join(changed) + "\n"


@pytest.mark.parametrize("how", ["no column", "holds the label", "cut off in line"])
@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_is_refused_whole_and_the_right_one_named(tmp_path, name, how):
    path = tmp_path / "table"
    path.write_bytes(damage(TABLES[name][0], how).encode())
    with pytest.raises(CommandError, match=how) as caught:
        run(name, path)
    dataset = datasets.DATASETS[name]
    assert str(caught.value).endswith(f"For {name}, get {', '.join(dataset.files)} from {dataset.home}.")
    assert Tweet.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("toxigen", "one,a,0,hate"),
        ("toxigen", "one,a,nan,hate"),
        ("toxic_spans", "one,3,4,0,0,0"),
        ("toxic_spans", "one,3,3,0,0,4"),
        ("cad", "a\tone\tNeutral,Unheard"),
        ("gab", "one\t0\t2\t0"),
    ],
)
def test_a_value_that_cannot_be_is_refused(tmp_path, name, row):
    path = tmp_path / "table"
    path.write_text(TABLES[name][0].splitlines()[0] + "\n" + row + "\n")
    with pytest.raises(CommandError, match="in row 0"):
        run(name, path)


def test_what_is_imported_is_told_by_label(tmp_path, capsys):
    (tmp_path / "ghc_train.tsv").write_text(TABLES["gab"][0])
    run("gab", tmp_path)
    assert "gab: 5 texts: 3 hate, 4 toxic (hd and cv are hate, vo is toxic). 10 new labels" in capsys.readouterr().out
    (tmp_path / "toxic_spans.csv").write_text(TABLES["toxic_spans"][0])
    run("toxic_spans", tmp_path)
    shown = capsys.readouterr().out
    assert "toxic_spans: 2 texts: 2 toxic, 1 insult, 1 threat, 1 profanity (" in shown
    assert "2 that are left open" in shown


@pytest.mark.parametrize(("place", "message"), [("nowhere", "does not exist"), (".", "name the file, not its folder")])
def test_a_wrong_place_is_told_with_what_to_do(tmp_path, place, message):
    with pytest.raises(CommandError, match=message) as caught:
        run("cad", tmp_path / place)
    assert "get cad_v1_1_train.tsv from https://zenodo.org" in str(caught.value)


def test_the_page_on_data_lists_every_dataset():
    page = (ROOT / "docs/data.md").read_text("utf-8")
    for dataset in datasets.DATASETS.values():
        is_downloaded = "yes" if dataset.can_be_downloaded else "no"
        assert f"| {dataset.name} | {is_downloaded} | {dataset.meaning} | {dataset.licence} |" in page


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
    assert count_labelled_tweets() == 2


# Folder: rows, rows that are hate, rows that are toxic, and texts to train on.
REAL = {
    "davidson": (24_783, 1_430, 20_620, 24_771),
    "twitter_sentiment": (31_962, 2_242, 0, 29_481),
    "hatexplain": (19_229, 5_935, 11_415, 17_269),
    "dynahate": (36_559, 19_889, 0, 32_328),
    "dynahate_v023": (41_115, 22_157, 0, 36_960),
    "hatemoji_build": (5_912, 2_965, 0, 5_311),
    "edos": (20_000, 4_854, 0, 16_000),
    "stormfront": (10_703, 1_196, 0, 10_047),
    "wiegand": (2_221, 1_249, 0, 2_219),
    "toxigen": (8_960, 2_307, 2_307, 7_007),
    "cad": (13_584, 1_357, 2_413, 13_418),
    "gab": (22_036, 1_941, 2_670, 21_950),
    "toxic_spans": (16_099, 0, 11_325, 11_188),
    "context_toxicity": (10_000, 0, 59, 9_924),
    "implicit_hate": (21_480, 8_189, 0, 21_476),
    "measuring_hate_speech": (20_692, 10_374, 0, 20_661),
}


@pytest.mark.parametrize("folder", REAL)
@pytest.mark.slow
def test_the_real_files_are_read(datasets_folder, folder):
    """Every row of the real files has a known label, and no text of a test split is to be trained on."""
    dataset = datasets.DATASETS[folder.removesuffix("_v023")]
    paths = sorted((datasets_folder / folder).iterdir())
    rows = [row for path in paths for row in dataset.read(path)]
    labels, counts = datasets.read_training_rows(dataset, paths)
    told = Counter(name for row in rows for name, value in row.labels.items() if value)
    assert (len(rows), told[HATE], told[TOXIC], counts["texts"]) == REAL[folder]
    tested = {fingerprint(row.text) for row in rows if row.split == "test"}
    assert not tested & {fingerprint(label.text) for label in labels}
    for file, sha256 in dataset.files.items():
        real = next((path for path in paths if sha256 == hashlib.sha256(path.read_bytes()).hexdigest()), None)
        assert real or not sha256, file


def test_every_dataset_is_tried_on_its_real_files():
    assert {folder.removesuffix("_v023") for folder in REAL} == datasets.DATASETS.keys()
