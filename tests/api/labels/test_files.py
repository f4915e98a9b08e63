import csv
import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.labels.files import (
    GUARD,
    SETTLINGS,
    FileError,
    LabelledTweet,
    RowError,
    guard_cell,
    read_tweets,
    settle_labels,
    unguard_cell,
    write_tweets,
)
from hate_speech_AI.labels import HATE, INSULT, MEANINGS, PROFANITY, SECONDARY, TOXIC, is_consistent

ROOT = Path(__file__).parent.parent.parent.parent
# Rich in what matters: separators, quotes, formula signs and the guard itself.
tricky = st.lists(st.sampled_from([*"=+-@;,\t\r\n\"' aé\u2060＝", GUARD]), max_size=20).map("".join)


def read(path, content, **options):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_tweets(path, **options))


def test_it_works(tmp_path):
    rows = read(tmp_path / "a.csv", "id,label,tweet\n1,0,good morning\n2,1,second\n")
    assert rows == [LabelledTweet(2, "good morning", {HATE: False}, "0"), LabelledTweet(3, "second", {HATE: True}, "1")]


def test_gzip_is_read_whatever_the_name(tmp_path):
    rows = read(tmp_path / "a.csv", gzip.compress(b"label,tweet\n1,a text\n"))
    assert rows == [LabelledTweet(2, "a text", {HATE: True}, "1")]


def test_columns_and_hate_values_are_named(tmp_path):
    rows = read(
        tmp_path / "a.csv", "text,class\na,0\nb,1\nc,2\n", text_column="text", label_column="class", hate_values=["0", "2"]
    )
    assert [row.labels[HATE] for row in rows] == [True, False, True]


def test_texts_come_as_they_are(tmp_path):
    text = "  &amp; \r\n\u200b ð\x9f\x98\x80 \tend "
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["label", "tweet"], ["1", text]])
    assert [row.text for row in read(tmp_path / "a.csv", "\ufeff" + out.getvalue())] == [text]


def test_bad_rows_are_named_by_line_and_the_rest_goes_on(tmp_path):
    content = b"".join(
        [
            b"id,label,tweet\n",
            b"1,1,fine\n",
            b"2,1\n",
            b'3,1,"two\nlines"\n',
            b"4,,no label\n",
            b"5,1,   \n",
            b"6,1,\xff\xfe\n",
            b"7,1,nul\x00here\n",
            b"\n",
            b"8,1," + b"x" * 10_001 + b"\n",
            b"9,1," + b"y" * 200_000 + b"\n",
            b"10,0,fine again\n",
        ]
    )
    rows = read(tmp_path / "a.csv", content)
    assert [(row.line, row.text) for row in rows if isinstance(row, LabelledTweet)] == [
        (2, "fine"),
        (4, "two\nlines"),
        (13, "fine again"),
    ]
    assert [row.line for row in rows if isinstance(row, RowError)] == [3, 6, 7, 8, 9, 11, 12]


@pytest.mark.parametrize("content", ["", "\n", "only,these,columns\n1,2,3\n", b"\x00\xff" * 50])
def test_a_file_without_the_columns_is_refused(tmp_path, content):
    with pytest.raises(FileError, match="--text-column"):
        read(tmp_path / "a.csv", content)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        list(read_tweets(tmp_path / "nothing.csv"))
    with pytest.raises(FileError, match="cannot be read"):
        list(read_tweets(tmp_path))
    cut = gzip.compress(b"label,tweet\n" + b"1,text\n" * 10_000)[:-20]
    with pytest.raises(FileError, match="cannot be read"):
        read(tmp_path / "cut.csv.gz", cut)


@pytest.mark.parametrize(
    ("how", "settled", "n_disagreed"),
    [
        ("majority", {"a": True, "b": False, "d": True}, 1),
        ("last", {"a": False, "b": False, "c": False, "d": True}, 0),
        ("all-agree", {"b": False, "d": True}, 2),
    ],
)
def test_several_rows_of_a_text_are_settled(how, settled, n_disagreed):
    said = {"a": [True, True, False], "b": [False, False], "c": [True, False], "d": [True]}
    rows = [LabelledTweet(1, " " * n + text.upper(), {HATE: value}, "") for text in said for n, value in enumerate(said[text])]
    with settle_labels(rows, how) as found:
        assert {text.strip().casefold(): labels for text, labels in found.rows} == {
            text: {HATE: value} for text, value in settled.items()
        }
        assert (found.n_repeated, found.n_disagreed) == (4, n_disagreed)


@pytest.mark.parametrize(
    ("how", "settled", "n_disagreed"),
    [
        ("majority", {HATE: True, TOXIC: True, PROFANITY: False}, 1),
        ("last", {HATE: False, TOXIC: False, INSULT: False, PROFANITY: False}, 0),
        ("all-agree", {PROFANITY: False}, 3),
    ],
)
def test_each_label_is_settled_by_what_its_rows_say_and_mean(how, settled, n_disagreed):
    """Whoever says hate or an insult says toxic, and whoever says not toxic says neither."""
    said = [{HATE: True, PROFANITY: False}, {INSULT: True, HATE: True}, {TOXIC: False, INSULT: False}]
    with settle_labels([LabelledTweet(1, "a", labels, "") for labels in said], how) as found:
        assert list(found.rows) == [("a", settled)]
        assert (found.n_repeated, found.n_disagreed) == (2, n_disagreed)


consistent = st.dictionaries(st.sampled_from([*MEANINGS]), st.booleans(), min_size=1).filter(is_consistent)


@settings(deadline=None)  # it opens databases
@given(st.lists(consistent, min_size=1), st.sampled_from([*SETTLINGS]))
def test_settled_labels_were_said_and_never_contradict_each_other(said, how):
    with settle_labels([LabelledTweet(1, "a", labels, "") for labels in said], how) as found:
        for _, labels in found.rows:
            assert is_consistent(labels)
            assert all(any(name in row for row in said) for name in labels)


@given(tricky)
def test_unguard_undoes_guard(text):
    assert unguard_cell(guard_cell(text)) == text


@given(tricky.filter(lambda text: GUARD not in text))
def test_a_foreign_text_is_left_as_it_is(text):
    assert unguard_cell(text) == text


@given(tricky, st.sampled_from([",", ";", "\t"]))
def test_no_cell_of_an_export_begins_as_a_formula(text, separator):
    """Also where a spreadsheet of another country splits at semicolons."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow([1, 0, guard_cell(text)])
    for row in csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=separator):
        for cell in row:
            assert not cell.lstrip('"').startswith(("=", "+", "-", "@", "＝"))


@settings(deadline=None)  # it writes files
@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), consistent), max_size=5))
def test_what_is_written_reads_back(tmp_path_factory, tweets):
    tweets = [(text, labels) for text, labels in tweets if text.strip()]
    for name in ("a.csv", "a.csv.gz"):
        path = tmp_path_factory.mktemp("export") / name
        assert write_tweets(path, [(number, labels, text) for number, (text, labels) in enumerate(tweets)]) == len(tweets)
        assert [(row.text, row.labels) for row in read_tweets(path, others=SECONDARY)] == tweets


def test_a_failed_export_leaves_no_file(tmp_path):
    def rows():
        yield 1, {HATE: True}, "a"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_tweets(tmp_path / "a.csv", rows())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_memory_is_constant(tmp_path):
    """A file without a single line end, and one of very many rows, are read in the memory of a small one."""
    code = (
        "import sys, resource; from pathlib import Path\n"
        "import django; from django.conf import settings; settings.configure(); django.setup()\n"
        "from api.labels.files import read_tweets, settle_labels, LabelledTweet\n"
        "rows = (r for r in read_tweets(Path(sys.argv[1])) if isinstance(r, LabelledTweet))\n"
        "with settle_labels(rows) as settled:\n"
        "    n = sum(1 for _ in settled.rows)\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )

    def megabytes(path):
        done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[1])

    small, many, endless = tmp_path / "small.csv", tmp_path / "many.csv", tmp_path / "endless.csv"
    small.write_text("label,tweet\n1,a text\n")
    with many.open("w") as file:
        file.write("label,tweet\n")
        file.writelines(f"1,this is text number {number} of very many that differ from each other\n" for number in range(300_000))
    with endless.open("w") as file:
        file.write('label,tweet\n1,"')
        for _ in range(100):
            file.write("x" * 1_000_000)
    base = megabytes(small)
    assert megabytes(many) < base + 30
    assert megabytes(endless) < base + 30
