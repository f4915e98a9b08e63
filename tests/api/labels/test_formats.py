"""Labelled files as people keep them and as annotation tools export them."""

import csv
import gzip
import io
import json

import fastparquet
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from api.labels.files import FileError, LabelledTweet, RowError, read_tweets
from api.labels.models import Label, Tweet
from api.labels.recording import LabelledText
from api.labels.services import add_feedback, add_review, import_labels
from hate_speech_AI.labels import HATE, INSULT, PROFANITY, SECONDARY, THREAT, TOXIC

ROWS = [("Le café ouvre à neuf heures", True), ("the ferry was late", False)]


def read(path, content, **options):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_tweets(path, **options))


def good(rows):
    return [(row.text, row.labels[HATE]) for row in rows if isinstance(row, LabelledTweet)]


def bad(rows):
    return [row.line for row in rows if isinstance(row, RowError)]


def write_csv(delimiter=",", encoding="utf-8"):
    lines = [("id", "label", "tweet"), *((n, int(value), text) for n, (text, value) in enumerate(ROWS))]
    return "\n".join(delimiter.join(map(str, line)) for line in lines).encode(encoding)


# --- delimiters, encodings, headers ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    assert good(read(tmp_path / "a.csv", write_csv(delimiter))) == ROWS


def test_a_delimiter_within_the_header_misleads_nobody(tmp_path):
    rows = read(tmp_path / "a.csv", "a,b;label;tweet\n1,5;1;one, two, three\n")
    assert good(rows) == [("one, two, three", True)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_encoding_is_found(tmp_path, encoding, pack):
    assert good(read(tmp_path / "a.csv", pack(write_csv(encoding=encoding)))) == ROWS


def test_an_accent_that_comes_late_is_seen(tmp_path):
    content = b"label,tweet\n" + b"0,a plain text\n" * 100_000 + "1,café\n".encode("cp1252")
    assert good(read(tmp_path / "a.csv", content))[-1] == ("café", True)


def test_other_alphabets_are_read_too(tmp_path):
    text = "Сегодня хорошая погода и мы идём гулять"
    assert good(read(tmp_path / "a.csv", f"label,tweet\n0,{text}\n".encode("cp1251"))) == [(text, False)]


def test_a_broken_line_amid_utf_8_is_a_bad_row(tmp_path):
    rows = read(tmp_path / "a.csv", "label,tweet\n1,café\n1,naïve\n".encode() + b"1,caf\xe9\n0,fine\n")
    assert good(rows) == [("café", True), ("naïve", True), ("fine", False)]
    assert bad(rows) == [4]


@pytest.mark.parametrize("header", ["Label,Tweet", " label , tweet", "LABEL,Text", "labels,comment", '"label","tweet"'])
def test_columns_are_known_by_their_usual_names(tmp_path, header):
    assert good(read(tmp_path / "a.csv", f"{header}\n1,a text\n")) == [("a text", True)]


def test_a_class_is_no_label_that_could_be_guessed(tmp_path):
    with pytest.raises(FileError, match="--label-column"):
        read(tmp_path / "a.csv", "class,tweet\n0,a text\n")


def test_a_zip_archive_is_named(tmp_path):
    with pytest.raises(FileError, match="Unpack it"):
        read(tmp_path / "a.zip", b"PK\x03\x04rest")


# --- quotes ---


@pytest.mark.parametrize(
    "broken",
    ['1,"never closed', '1,"never closed\n0,plain', '1,"closed" amid', '1,"closed, but"by the next'],
)
def test_a_quote_that_is_not_closed_takes_no_other_row_along(tmp_path, broken):
    rows = read(tmp_path / "a.csv", f'label,tweet\n0,before\n{broken}\n0,"quoted"\n' + "1,after\n" * 3)
    texts = [text for text, _ in good(rows)]
    assert bad(rows) == [3]
    assert texts == ["before", *(["plain"] if "plain" in broken else []), "quoted", "after", "after", "after"]


def test_a_long_file_after_an_open_quote_is_read_all_the_same(tmp_path):
    rows = read(tmp_path / "a.csv", 'label,tweet\n1,"never closed\n' + "0,a row\n" * 50_000)
    assert bad(rows) == [2]
    assert len(good(rows)) == 50_000


def test_a_text_of_many_lines_is_one_text(tmp_path):
    text = "\n".join(f"line {n}" for n in range(100))
    assert good(read(tmp_path / "a.csv", f'label,tweet\n1,"{text}"\n0,next\n')) == [(text, True), ("next", False)]


# --- labels ---


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        *(
            (label, True)
            for label in ("1", "1.0", " 1 ", "true", "TRUE", "Yes", "y", "hate", "Hateful", "hate speech", "HateSpeech")
        ),
        *(
            (label, False)
            for label in ("0", "0.0", "False", "no", "normal", "not hate", "not-hate", "nothate", "NotHate", "noHate")
        ),
        *((label, False) for label in ("non-hateful", "non-hate", "no_hate", "not hateful", "not hate speech")),
        *((label, True) for label in ("hate#toxic", "toxic#hate", '["hate"]', '{"choices": ["hate", "toxic"]}')),
        *(
            (label, None)
            for label in ("2", "-1", "nan", "toxic", "offensive", "maybe", "hate#not hate", "normal#spam", "positive")
        ),
        *((label, None) for label in ("", "  ", "[]", "#")),
    ],
)
def test_spellings_of_yes_and_no_are_known_and_all_others_are_bad(tmp_path, label, meaning):
    quoted = label.replace('"', '""')
    rows = read(tmp_path / "a.csv", f'label,tweet\n"{quoted}",a text\n')
    assert good(rows) == ([] if meaning is None else [("a text", meaning)])


def test_other_labels_are_given_a_meaning(tmp_path):
    content = "label,tweet\nSpam,a\nattack,b\n1,c\nham,d\n"
    rows = read(tmp_path / "a.csv", content, labels={"spam": False, "ATTACK": True})
    assert good(rows) == [("a", False), ("b", True), ("c", True)]
    assert bad(rows) == [5]


# --- labels beside hate ---


def said(rows):
    return {row.text: row.labels for row in rows if isinstance(row, LabelledTweet)}


def read_all(path, content, **options):
    return read(path, content, others=SECONDARY, **options)


def test_a_column_of_a_labels_name_holds_that_label(tmp_path):
    rows = read_all(tmp_path / "a.csv", "tweet,Toxic, insult ,label,note\na,yes,0,1,x\nb,,1,,x\nc,,,0,x\nd,,,,x\n")
    assert said(rows) == {"a": {HATE: True, TOXIC: True, INSULT: False}, "b": {INSULT: True}, "c": {HATE: False}}
    assert bad(rows) == [5]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1,maybe,", "toxic is neither yes nor no"),
        ("a,0,0.8,", "toxic is neither yes nor no"),
        ("a,,hate,", "toxic is neither yes nor no"),
        ("a,,,no#yes", "insult is both yes and no"),
        ("a,hate#insult,,0", "insult is both yes and no"),
        ("a,1,0,", "contradict each other: Hate, insults and threats are toxic."),
        ("a,,0,1", "contradict each other: Hate, insults and threats are toxic."),
        ("a,toxic,,", "unknown label"),
        ("a,maybe,1,", "unknown label"),
    ],
)
def test_a_wrong_label_is_a_bad_row_that_says_why(tmp_path, row, message):
    rows = read_all(tmp_path / "a.csv", f"tweet,label,toxic,insult\n{row}\nb,1,1,0\n")
    assert said(rows) == {"b": {HATE: True, TOXIC: True, INSULT: False}}
    [error] = [row for row in rows if isinstance(row, RowError)]
    assert error.line == 2
    assert message in error.message


def test_a_file_may_say_nothing_of_hate(tmp_path):
    content = "comment;threat;profanity\nfirst, second;0;1\n"
    rows = read_all(tmp_path / "a.csv", content)
    assert said(rows) == {"first, second": {THREAT: False, PROFANITY: True}}
    for options in ({"others": SECONDARY, "label_column": "kind"}, {}):
        with pytest.raises(FileError, match="--label-column"):
            read(tmp_path / "a.csv", content, **options)


def test_the_column_that_is_named_for_hate_is_no_other_label(tmp_path):
    rows = read_all(tmp_path / "a.csv", "text,toxic,insult\na,1,0\n", label_column="toxic")
    assert said(rows) == {"a": {HATE: True, INSULT: False}}


def test_a_name_among_the_labels_of_a_row_says_yes(tmp_path):
    tasks = [{"text": "a", "label": ["hate", "Insult"]}, {"text": "b", "label": ["threat"]}, {"text": "c", "label": ["normal"]}]
    lines = "\n".join(map(json.dumps, tasks))
    rows = read_all(tmp_path / "a.jsonl", lines, hate_values=["hate"])
    assert said(rows) == {"a": {HATE: True, INSULT: True}, "b": {HATE: False, THREAT: True}, "c": {HATE: False}}
    rows = read_all(tmp_path / "a.jsonl", lines)
    assert said(rows) == {"a": {HATE: True, INSULT: True}, "c": {HATE: False}}
    assert bad(rows) == [2]  # it may be hate or not


def test_a_label_that_comes_late_in_a_json_file_is_read(tmp_path):
    tasks = [{"text": f"text {n}", "label": 0} for n in range(200)] + [{"text": "a", "insult": True}]
    for content in ("\n".join(map(json.dumps, tasks)), json.dumps(tasks)):
        assert said(read_all(tmp_path / "a.json", content))["a"] == {INSULT: True}


def test_a_question_of_a_labels_name_is_that_label(tmp_path):
    both = annotate("Yes", name="hate")["result"] + annotate("no", name="Insult")["result"]
    tasks = [{"data": {"text": "a"}, "annotations": [{"result": both}]}]
    assert said(read_all(tmp_path / "a.json", json.dumps(tasks))) == {"a": {HATE: True, INSULT: False}}
    tasks = [{"data": {"text": "a"}, "annotations": [annotate("Yes", name="Insult")]}]
    table = "annotation_id,annotator,id,insult,text\n1,1,1,Yes,a\n"
    for name, content in (("a.json", json.dumps(tasks)), ("a.csv", table)):
        assert said(read_all(tmp_path / name, content)) == {"a": {INSULT: True}}
        with pytest.raises(FileError, match="--label-column"):
            read(tmp_path / name, content)


# --- other formats ---


def test_jsonl(tmp_path):
    lines = [json.dumps({"tweet": text, "label": value}) for text, value in ROWS]
    rows = read(tmp_path / "a.jsonl", "\n".join([lines[0], "", "{broken", "[1]", '{"tweet": 3, "label": 1}', lines[1]]))
    assert good(rows) == ROWS
    assert bad(rows) == [3, 4, 5]


def test_doccano(tmp_path):
    tasks = [{"id": 1, "text": "a", "label": ["hate", "toxic"], "Comments": []}, {"id": 2, "text": "b", "label": ["normal"]}]
    expected = [("a", True), ("b", False)]
    assert good(read(tmp_path / "a.jsonl", "\n".join(map(json.dumps, tasks)))) == expected
    assert good(read(tmp_path / "a.json", json.dumps(tasks))) == expected
    rows = read(tmp_path / "a.csv", "id,text,label\n1,a,hate#toxic\n2,b,normal\n3,c,toxic\n4,d,\n")
    assert good(rows) == expected
    assert bad(rows) == [4, 5]


def annotate(*labels, name="kind", **more):
    result = {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return {"id": 1, "completed_by": 1, "result": [result], "was_cancelled": False, **more}


def test_label_studio(tmp_path):
    tasks = [
        {
            "id": 1,
            "data": {"text": "a"},
            "annotations": [annotate("Hate"), annotate("Hate"), annotate("Normal")],
            "predictions": [],
        },
        {"id": 2, "data": {"text": "b"}, "annotations": [annotate("Normal"), annotate("Hate", was_cancelled=True)]},
        {"id": 3, "data": {"text": "c"}, "annotations": []},
        {"id": 4, "data": {"text": "d"}, "annotations": [{"result": [3]}]},
    ]
    rows = read(tmp_path / "a.json", json.dumps(tasks, indent=1))
    assert good(rows) == [("a", True), ("a", True), ("a", False), ("b", False)]
    assert len(bad(rows)) == 2
    small = [
        {"text": "a", "id": 1, "kind": "Hate", "annotator": 1, "annotation_id": 1, "lead_time": 3.5},
        {"text": "b", "id": 2, "kind": {"choices": ["Normal"]}, "annotator": 1, "annotation_id": 2},
    ]
    assert good(read(tmp_path / "min.json", json.dumps(small))) == [("a", True), ("b", False)]
    table = 'annotation_id,annotator,id,kind,text\n1,1,1,Hate,a\n2,1,2,"{""choices"": [""Normal""]}",b\n'
    assert good(read(tmp_path / "a.csv", table)) == [("a", True), ("b", False)]
    assert good(read(tmp_path / "a.tsv", "annotation_id\tid\tkind\ttext\n1\t1\tHate\ta\n")) == [("a", True)]


def test_of_several_questions_one_is_named(tmp_path):
    result = annotate("Hate")["result"] + annotate("Sure", name="certainty")["result"]
    task = [{"data": {"text": "a"}, "annotations": [{"result": result}]}]
    with pytest.raises(FileError, match="certainty"):
        read(tmp_path / "a.json", json.dumps(task))
    assert good(read(tmp_path / "a.json", json.dumps(task), label_column="kind")) == [("a", True)]


def test_a_json_array_of_any_layout_is_read_object_by_object(tmp_path):
    tasks = [{"text": f"text {n} " + "x" * 300, "label": n % 2} for n in range(1000)]
    for indent in (None, 2):
        assert len(good(read(tmp_path / "a.json", json.dumps(tasks, indent=indent)))) == 1000
    with pytest.raises(FileError, match="no JSON from line 1 on"):
        read(tmp_path / "a.json", json.dumps(tasks)[:-500])


def test_parquet_is_read_by_row_groups(tmp_path):
    texts = [text for text, _ in ROWS] * 50
    frame = pd.DataFrame({"tweet": [*texts, None, "no label"], "label": [1.0, 0.0] * 50 + [1.0, None], "other": 0})
    path = tmp_path / "a.parquet"
    fastparquet.write(path, frame, row_group_offsets=20, compression="SNAPPY")
    rows = list(read_tweets(path))
    assert good(rows) == ROWS * 50
    assert bad(rows) == [101, 102]
    (tmp_path / "broken.parquet").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FileError, match="cannot be read"):
        list(read_tweets(tmp_path / "broken.parquet"))


# --- the command ---


def run(path, content, *options):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    call_command("import_tweets", str(path), *options)


def stored():
    return dict(Label.objects.filter(is_current=True).values_list("tweet__text", "value"))


@pytest.mark.django_db
def test_unknown_labels_are_bad_rows_and_the_command_fails(tmp_path, capsys):
    with pytest.raises(CommandError, match=r"1 bad row left out\. Say with --labels"):
        run(tmp_path / "a.csv", "label,tweet\nhate,a\nmaybe,b\nnormal,c\n")
    assert stored() == {"a": True, "c": False}
    shown = capsys.readouterr()
    assert "line 3: unknown label" in shown.err
    assert "label 'maybe' = unknown label: 1 row" in shown.out


@pytest.mark.django_db
def test_where_nothing_fits_nothing_is_stored(tmp_path, capsys):
    with pytest.raises(CommandError, match="--labels LABEL=hate"):
        run(tmp_path / "a.csv", "label,tweet\npositive,a\nnegative,b\n")
    assert not Tweet.objects.exists()
    assert "label 'negative' = unknown label: 1 row" in capsys.readouterr().out
    run(tmp_path / "a.csv", "label,tweet\npositive,a\nnegative,b\n", "--labels", "positive=not-hate,negative=hate")
    assert stored() == {"a": False, "b": True}


@pytest.mark.django_db
def test_texts_are_never_shown(tmp_path, capsys):
    texts = [f"secret {n}" for n in range(30)] + ["a secret " * 10]
    for rows in (texts, texts[-1:]):
        with pytest.raises(CommandError):
            run(tmp_path / "a.csv", "\n".join(["tweet,label", *(f"x,{text}" for text in rows)]))
        shown = capsys.readouterr()
        assert "secret" not in shown.out + shown.err
        assert "Is that the column of the labels?" in shown.out


@pytest.mark.django_db
def test_many_bad_rows_are_counted(tmp_path, capsys):
    with pytest.raises(CommandError, match="200 bad rows left out"):
        run(tmp_path / "a.csv", "label,tweet\n1,a\n" + "maybe,b\n" * 200)
    assert capsys.readouterr().err.count("unknown label") == 50


@pytest.mark.django_db
def test_most_annotators_decide_and_ties_are_counted(tmp_path, capsys):
    content = "label,tweet\n1,a\n0,a\n1,A\n1,b\n0,b\n"
    run(tmp_path / "a.csv", content)
    assert stored() == {"A": True}
    assert "3 repeated within the file, 1 label left out because rows of a text disagree" in capsys.readouterr().out
    run(tmp_path / "a.csv", content, "--annotators", "last")
    assert stored() == {"A": True, "b": False}


@pytest.mark.django_db
def test_a_dry_run_stores_nothing(tmp_path, capsys):
    run(tmp_path / "a.csv", "label,tweet\n1,a\n0,b\n", "--dry-run")
    assert not Tweet.objects.exists()
    assert "2 texts would be stored" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["spam", "=hate", "spam=perhaps"])
def test_a_misspelt_meaning_is_one_clear_line(tmp_path, given):
    with pytest.raises(CommandError, match="LABEL=hate"):
        run(tmp_path / "a.csv", "label,tweet\n1,a\n", "--labels", given)


@pytest.mark.django_db
def test_labels_beside_hate_are_stored_and_counted(tmp_path, capsys):
    with pytest.raises(CommandError, match=r"^1 bad row left out\.$"):
        run(tmp_path / "a.csv", "tweet,label,toxic,insult\na,1,1,\nb,0,0,0\nc,,1,1\nd,,perhaps,\n")
    shown = capsys.readouterr()
    assert "line 5: toxic is neither yes nor no" in shown.err
    assert "toxic: 2 yes, 1 no\ninsult: 1 yes, 1 no\nlabel '0' = not hate: 1 row\nlabel '1' = hate: 1 row\n" in shown.out
    assert "7 new labels, 0 changed, 0 unchanged" in shown.out
    assert set(Label.objects.values_list("tweet__text", "name", "value", "source")) == {
        ("a", HATE, True, "import:a.csv"),
        ("a", TOXIC, True, "import:a.csv"),
        ("b", HATE, False, "import:a.csv"),
        ("b", TOXIC, False, "import:a.csv"),
        ("b", INSULT, False, "import:a.csv"),
        ("c", TOXIC, True, "import:a.csv"),
        ("c", INSULT, True, "import:a.csv"),
    }


@pytest.mark.django_db
def test_a_file_that_says_hate_only_leaves_the_other_labels_open(tmp_path):
    run(tmp_path / "a.csv", "id,label,tweet\n1,1,a\n2,0,b\n")
    assert set(Label.objects.values_list("tweet__text", "name", "value")) == {("a", HATE, True), ("b", HATE, False)}


# --- a round trip ---


def list_answers(row, *words):
    """Return what an exported row says, as one of `words` for no and yes, by label."""
    answers = {HATE: row["label"], **{name: row[name] for name in SECONDARY}}
    return {name: words[int(answer)] for name, answer in answers.items() if answer}


def write_table(rows, delimiter=",", encoding="utf-8"):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def write_objects(rows):
    return [{"tweet": row["tweet"], **list_answers(row, False, True)} for row in rows]


def write_parquet(rows):
    frame = pd.DataFrame({"tweet": [row["tweet"] for row in rows]})
    for name, kind in zip(("label", *SECONDARY), ("Int64", "boolean", "float", "Int64", "object"), strict=True):
        frame[name] = pd.Series([int(row[name]) if row[name] else None for row in rows], dtype=kind)
    out = io.BytesIO()
    out.close = lambda: None  # fastparquet closes what it has written
    fastparquet.write("", frame, open_with=lambda *_: out)
    return out.getvalue()


def write_doccano(rows):
    """Write hate as a label of the project, and the others as the fields that came with the texts."""
    tasks = [
        {"text": row["tweet"], **{name: answer for name, answer in list_answers(row, 0, 1).items() if name != HATE}}
        | {"label": {"1": ["hate"], "0": ["not hate"], "": []}[row["label"]]}
        for row in rows
    ]
    return "\n".join(map(json.dumps, tasks)).encode()


def write_label_studio(rows):
    """Write a question for each label."""
    tasks = [
        {
            "data": {"text": row["tweet"]},
            "annotations": [
                {"result": [annotate(answer, name=name)["result"][0] for name, answer in list_answers(row, "No", "Yes").items()]}
            ],
        }
        for row in rows
    ]
    return json.dumps(tasks).encode()


def write_label_studio_table(rows):
    unknown = dict.fromkeys((HATE, *SECONDARY), "")
    return write_table(
        [
            {"annotation_id": at, **unknown, **list_answers(row, "No", "Yes"), "annotator": 1, "text": row["tweet"]}
            for at, row in enumerate(rows)
        ]
    )


FORMATS = {
    "a.csv": write_table,
    "a.csv.gz": lambda rows: gzip.compress(write_table(rows)),
    "semicolons.csv": lambda rows: write_table(rows, ";", "utf-16"),
    "a.tsv": lambda rows: write_table(rows, "\t"),
    "a.jsonl": lambda rows: "\n".join(map(json.dumps, write_objects(rows))).encode(),
    "a.json": lambda rows: json.dumps(write_objects(rows)).encode(),
    "a.parquet": write_parquet,
    "doccano.jsonl": write_doccano,
    "label_studio.json": write_label_studio,
    "label_studio.csv": write_label_studio_table,
}


def export(path):
    call_command("export_tweets", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_is_imported_again_from_each_format(tmp_path, capsys, name):
    add_review(text="What a fool", is_hate_speech=False, labels={INSULT: True, TOXIC: True, THREAT: False, PROFANITY: False})
    add_review(text='=1+1; "quoted"\r\nZo\u00eb \U0001f600', is_hate_speech=True)
    add_feedback(rows=[LabelledText("damn it", True, name=PROFANITY)], source="perspective", comment=None)
    import_labels(rows=[LabelledText("the ferry", False), LabelledText("the ferry", False, name=TOXIC)], source="import:x")
    # The person's word counts: what is not toxic is not hate.
    add_feedback(rows=[LabelledText("the tram", False, name=TOXIC)], source="perspective", comment=None)
    import_labels(rows=[("the tram", True)], source="import:x")
    rows = export(tmp_path / "export.csv")
    assert [tuple(row.values())[1:] for row in rows] == [
        ("0", "What a fool", "1", "1", "0", "0"),
        ("1", '\'\u2060=1+1; "quoted"\r\nZo\u00eb \U0001f600', "", "", "", ""),
        ("", "damn it", "", "", "", "1"),
        ("0", "the ferry", "0", "", "", ""),
        ("", "the tram", "0", "", "", ""),
    ]
    Label.objects.all().delete()
    Tweet.objects.all().delete()
    for told in ("10 new labels, 0 changed, 0 unchanged", "0 new labels, 0 changed, 10 unchanged"):
        run(tmp_path / name, FORMATS[name](rows))
        assert told in capsys.readouterr().out
    again = export(tmp_path / "again.csv")
    assert sorted(tuple(row.values())[1:] for row in again) == sorted(tuple(row.values())[1:] for row in rows)


@pytest.mark.django_db
def test_no_bar_is_drawn_where_nobody_looks(tmp_path, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    run(tmp_path / "a.csv", "label,tweet\n1,a\n")
    call_command("export_tweets", str(tmp_path / "out.csv"))
    assert log.getvalue() == ""
