"""The public data that the encoder learns from: the rows, their labels, their weights and their sides."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..labels import HATE, TOXIC
from ..text import fingerprint
from ..training.rows import choose_side

FILES = {
    "davidson": ["davidson/labeled_data.csv"],
    "dynahate": ["dynahate/dynahate.csv"],
    "edos": ["edos/edos_labelled_aggregated.csv"],
    "hatemoji_build": [f"hatemoji_build/{split}.csv" for split in ("train", "validation", "test")],
    "hatexplain": ["hatexplain/hatexplain.csv"],
    "stormfront": ["stormfront/stormfront.csv"],
}
SOURCES = tuple(FILES)
# The labels of the head, in the order of its rows. Each is a field of `Example`.
LABELS = (HATE, TOXIC)

# The weight of a row of each source in the loss of `hate`. Trained annotators labelled dynahate and hatemoji_build with the
# definition that this project uses. The others use other definitions, or their annotators agree less.
WEIGHTS = {
    "davidson": 0.35,
    "dynahate": 1.0,
    "edos": 0.5,
    "hatemoji_build": 1.0,
    "hatexplain": 0.7,
    "stormfront": 0.5,
}
# One row in so many is kept for the head, without fine-tuning on it: 10,700 in all with the official validation splits.
_HEAD_SHARE = {"davidson": 10, "dynahate": 12, "stormfront": 8}
_UNKNOWN = None


class Example(NamedTuple):
    """A labelled text.

    Attributes
    ----------
    text, source : str
    split : str
        "fit": the weights learn from it; "head": the head does, and choices are made by it; "test": nothing does.
    hate : bool or None
        `None` of texts that were made up of others.
    toxic : bool or None
        Hate or offensive; `None` where the source does not say.
    """

    text: str
    source: str
    split: str
    hate: bool | None
    toxic: bool | None


def read_corpus(folder: Path) -> list[Example]:
    """Read the examples of all sources below `folder`, one for each fingerprint. The order depends on the files alone.

    A text of any test split is in no other split. Two kinds of rows are left out: the contrast twins of hatemoji_build's test
    rows, and sentences from the same posts as stormfront's test sentences.

    Raises
    ------
    FileNotFoundError
        A dataset is missing.
    """
    examples = [Example(*row) for source in SOURCES for row in _READERS[source](folder)]
    tested = {fingerprint(example.text) for example in examples if example.split == "test"}
    head = {fingerprint(example.text) for example in examples if example.split == "head"} - tested
    kept: dict[str, Example] = {}
    for example in examples:
        key = fingerprint(example.text)
        if example.split == "fit" and (key in tested or key in head):
            continue
        if example.split == "head" and key in tested:
            continue
        kept.setdefault(key, example)
    return list(kept.values())


def checksums(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that `read_corpus` reads."""
    return {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for source in SOURCES for file in sorted(FILES[source])
    }


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _side(source: str, key: str) -> str:
    """Return "head" or "fit". It depends only on the key: the fingerprint of a text, or the id of a group of texts."""
    number = int(hashlib.sha256(f"head {key}".encode()).hexdigest()[:8], 16)
    return "head" if number % _HEAD_SHARE[source] == 0 else "fit"


def _davidson(folder: Path):
    for row in _rows(folder / FILES["davidson"][0]):
        key = fingerprint(row["tweet"])
        # No official split: the service's own held-out side is the test.
        split = "test" if choose_side(key) == "held_out" else _side("davidson", key)
        yield row["tweet"], "davidson", split, row["class"] == "0", row["class"] != "2"


def _dynahate(folder: Path):
    for row in _rows(folder / FILES["dynahate"][0]):
        hate = row["label"] == "1"
        split = "test" if row["split"] == "test" else _side("dynahate", fingerprint(row["text"]))
        yield row["text"], "dynahate", split, hate, True if hate else _UNKNOWN


def _edos(folder: Path):
    for row in _rows(folder / FILES["edos"][0]):
        hate = row["label_sexist"] == "sexist"
        split = {"train": "fit", "dev": "head", "test": "test"}[row["split"]]
        yield row["text"], "edos", split, hate, True if hate else _UNKNOWN


def _hatemoji_build(folder: Path):
    rows = [row for file in FILES["hatemoji_build"] for row in _rows(folder / file)]
    split_of = {row["entry_id"]: {"train": "fit", "dev": "head", "test": "test"}[row["split"]] for row in rows}
    rank = ("fit", "head", "test")
    for row in rows:
        split, twin = split_of[row["entry_id"]], split_of.get(row["matched_id"], "fit")
        if twin == "test" != split:
            continue
        hate = row["label_gold"] == "1"
        yield row["text"], "hatemoji_build", max(split, twin, key=rank.index), hate, True if hate else _UNKNOWN


def _hatexplain(folder: Path):
    for row in _rows(folder / FILES["hatexplain"][0]):
        split = {"train": "fit", "val": "head", "test": "test"}[row["split"]]
        yield row["text"], "hatexplain", split, row["majority_label"] == "hatespeech", row["majority_label"] != "normal"


def _stormfront(folder: Path):
    rows = list(_rows(folder / FILES["stormfront"][0]))
    tested = {row["post_id"] for row in rows if row["split"] == "test"}
    for row in rows:
        if row["post_id"] in tested and row["split"] != "test":
            continue
        split = row["split"] if row["split"] == "test" else _side("stormfront", row["post_id"])
        hate = row["label"] == "1"
        yield row["text"], "stormfront", split, hate, True if hate else _UNKNOWN


_READERS = {
    "davidson": _davidson,
    "dynahate": _dynahate,
    "edos": _edos,
    "hatemoji_build": _hatemoji_build,
    "hatexplain": _hatexplain,
    "stormfront": _stormfront,
}


def describe(examples: list[Example]) -> str:
    """Return the counts of a corpus as JSON: {source: {split: [rows, hateful]}}."""
    rows = Counter((example.source, example.split) for example in examples)
    hateful = Counter((example.source, example.split) for example in examples if example.hate)
    return json.dumps({f"{source} {split}": [n, hateful[source, split]] for (source, split), n in sorted(rows.items())}, indent=1)
