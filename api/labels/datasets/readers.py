"""Read the files of public datasets, each in the format of its home. Some have copies in a simpler format, which are read too."""

import ast
import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hate_speech_AI.labels import HATE, INSULT, PROFANITY, THREAT, TOXIC

from ..files import FileError, open_decoded

Labels = Mapping[str, bool]

# What is known of a text. A dataset that tells offensive texts from harmless ones says whether a text is toxic, too.
IS_HATE: Labels = {HATE: True}
IS_NOT_HATE: Labels = {HATE: False}
IS_HATEFUL: Labels = {HATE: True, TOXIC: True}
IS_OFFENSIVE: Labels = {HATE: False, TOXIC: True}
IS_HARMLESS: Labels = {HATE: False, TOXIC: False}
IS_TOXIC: Labels = {TOXIC: True}
IS_UNKNOWN: Labels = {}

_FLAGS = {"0": False, "1": True}
_HATEXPLAIN = {"hatespeech": IS_HATEFUL, "offensive": IS_OFFENSIVE, "normal": IS_HARMLESS}
_CAD = {
    "IdentityDirectedAbuse": IS_HATEFUL,
    "AffiliationDirectedAbuse": IS_OFFENSIVE,
    "PersonDirectedAbuse": IS_OFFENSIVE,
    "CounterSpeech": IS_HARMLESS,
    "Neutral": IS_HARMLESS,
}
# Where 1 is hate.
judge_flag = {"1": IS_HATE, "0": IS_NOT_HATE}.__getitem__


class DatasetRow(NamedTuple):
    """A row of a dataset; `labels` is empty if nothing is to be learned from it, as where its annotators disagree."""

    text: str
    labels: Labels
    split: str
    reference: str


Reader = Callable[[Path], Iterator[DatasetRow]]


class Unquoted(csv.excel_tab):
    """Tabs between the fields. A quotation mark is a letter like any other."""

    quoting = csv.QUOTE_NONE


def _read_table(path: Path, *columns: str, dialect: str | type[csv.Dialect] = "excel") -> Iterator[dict[str, str]]:
    with open_decoded(path) as (file, _):
        reader = csv.DictReader(file, dialect=dialect)
        if missing := set(columns) - set(reader.fieldnames or ()):
            raise FileError(
                f"{path.name} has no column {', '.join(sorted(missing))}: it is not the file that this release knows."
            )
        for row in reader:
            if None in row or None in row.values():
                raise FileError(f"{path.name} is cut off in line {reader.line_num}, or has other columns there than above.")
            yield row


def make_reader(
    text: str,
    *columns: str,
    judge: Callable[..., Labels],
    split: str = "",
    reference: str = "",
    dialect: str | type[csv.Dialect] = "excel",
    restore: Callable[[str], str] = str,
) -> Reader:
    """Return a function that reads a table.

    Parameters
    ----------
    text, split, reference : str
        The columns of these. Without a column of references, rows are numbered.
    *columns : str
        The columns that `judge` reads.
    judge : callable
        From the values of `columns` to the labels. It raises `KeyError` or `ValueError` for values that it does not know.
    dialect : str or class
        As the module csv takes it.
    restore : callable
        From a text as it is written to the text as it was posted.
    """
    needed = [column for column in (text, *columns, split, reference) if column]

    def read(path: Path) -> Iterator[DatasetRow]:
        for number, row in enumerate(_read_table(path, *needed, dialect=dialect)):
            values = [row[column].strip() for column in columns]
            try:
                labels = judge(*values)
            except (KeyError, ValueError) as error:
                label = ascii(", ".join(values))[:40]
                raise FileError(f"{path.name} holds the label {label} in row {number}. This release does not know it.") from error
            place = row[reference] if reference else f"row {number}"
            yield DatasetRow(restore(row[text]), labels, row[split] if split else "", place)

    return read


# The columns `text`, `label` (1 is hate), `split` and `id`, as copies of several datasets have them.
_read_copy = make_reader("text", "label", judge=judge_flag, split="split", reference="id")


def read_hatexplain(path: Path) -> Iterator[DatasetRow]:
    """Read dataset.json and, beside it, post_id_divisions.json; or a copy as CSV. The majority of the annotators decides."""
    if path.suffix == ".csv":
        yield from make_reader("text", "majority_label", judge=_HATEXPLAIN.__getitem__, split="split", reference="id")(path)
        return
    if path.name == "post_id_divisions.json":
        return  # read with the other file
    posts, divisions = _read_json(path), _read_json(path.with_name("post_id_divisions.json"))
    try:
        splits = {post: split for split, ids in divisions.items() for post in ids}
        for reference, post in posts.items():
            votes = Counter(annotator["label"] for annotator in post["annotators"]).most_common(2)
            is_tied = len(votes) > 1 and votes[0][1] == votes[1][1]
            labels = IS_UNKNOWN if is_tied else _HATEXPLAIN[votes[0][0]]
            yield DatasetRow(" ".join(post["post_tokens"]), labels, splits.get(reference, ""), reference)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise FileError(f"{path.name} is not the file that this release knows: {error!r}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FileError(f"{path.name} is not JSON: {error}") from error
    return content


def read_stormfront(path: Path) -> Iterator[DatasetRow]:
    """Read annotations_metadata.csv and, beside it, a file for each sentence; or a copy as CSV."""
    if path.name != "annotations_metadata.csv":
        yield from _read_copy(path)
        return
    test = {file.name for file in path.parent.glob("sampled_test/*.txt")}
    for row in _read_table(path, "file_id", "label"):
        name = f"{row['file_id']}.txt"
        try:
            text = (path.parent / "all_files" / Path(name).name).read_text("utf-8")
        except OSError as error:
            raise FileError(f"{path.parent.name} lacks all_files/{Path(name).name}.") from error
        # Two more labels mark sentences that cannot be judged alone.
        labels = {"hate": IS_HATE, "noHate": IS_NOT_HATE}.get(row["label"], IS_UNKNOWN)
        yield DatasetRow(text, labels, "test" if name in test else "", row["file_id"])


def judge_abuse(labels: str) -> Labels:
    """Judge by the labels of cad, separated by commas. The gravest decides."""
    return max((_CAD[label] for label in labels.split(",")), key=lambda said: sum(said.values()))


def judge_gab(*values: str) -> Labels:
    """Judge by the columns of gab: an assault on human dignity, a call for violence, vulgar or offensive language."""
    is_assault, is_call, is_offensive = (_FLAGS[value] for value in values)
    is_hate = is_assault or is_call
    return {HATE: is_hate, TOXIC: is_hate or is_offensive}


def judge_harm(toxicity: str) -> Labels:
    """Judge by the mean of the annotators of toxigen, from 1 to 5. What is about the middle stays open."""
    harm = float(toxicity)
    if not 1 <= harm <= 5:
        raise ValueError(toxicity)
    return IS_HATEFUL if harm >= 4 else IS_HARMLESS if harm <= 2 else IS_UNKNOWN


def judge_spans(annotators: str, *marked: str) -> Labels:
    """Judge by how many annotators of toxic_spans marked a toxic span, and how many an insult, a threat and profanity.

    Every text was toxic to some reader. So where fewer than most marked a span, all stays open.
    """
    n_annotators, *counts = map(int, (annotators, *marked))
    if not all(0 <= n_marked <= n_annotators for n_marked in counts):
        raise ValueError(annotators)
    most = [n_marked > n_annotators / 2 for n_marked in counts]
    labels = dict(zip((TOXIC, INSULT, THREAT, PROFANITY), most, strict=True))
    return labels if labels[TOXIC] else IS_UNKNOWN


def restore_bytes(text: str) -> str:
    """Return the text that stands as a literal of bytes, b'...', in toxigen; any other text as it is."""
    if not text.startswith(("b'", 'b"')):
        return text
    try:
        literal = ast.literal_eval(text)
        return literal.decode() if isinstance(literal, bytes) else text
    except (SyntaxError, ValueError):
        return text


def restore_lines(text: str) -> str:
    """Return a text of cad with its line ends."""
    return text.replace("[linebreak]", "\n")
