"""Read what the grammar is written in: frames, statements, words and groups. See the README beside the files."""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent
_LABEL = re.compile(r"([htixp])(\??)")
# Of six frames (or statements), four are learned from. One is for the head and for choices, one for measuring.
_SPLITS = ("fit", "head", "fit", "fit", "test", "fit")
# What cannot follow "do they": other tenses, modal verbs.
_NOT_AFTER_DO = re.compile(
    r"(?:are|were|can't|don't|should|shouldn't|would|ought|moved|came|won|built|taught|saved|stood|get everything"
    r"|have (?:been|helped|no)|won.t|can|got|took|died|sued|fought|invented)\b"
)


class Group(NamedTuple):
    """The names of a group: several of each form, and the emoji that stand for it."""

    plural: tuple[str, ...]
    singular: tuple[str, ...]
    adjective: str
    predicative: bool
    targets: frozenset[str]
    kind: str
    emoji: tuple[str, ...]


class Frame(NamedTuple):
    """A sentence with slots, its labels and its split. Groups of the kinds `without` do not fit."""

    form: str
    labels: dict[str, bool | None]
    text: str
    without: frozenset[str]
    split: str

    @property
    def is_hate(self) -> bool:
        """Return whether the filled frame attacks a group."""
        return self.labels["h"] is True


class Statement(NamedTuple):
    """What is said of "they": a predicate in the plural, and things of which the same words are harmless."""

    predicate: str
    things: tuple[str, ...]
    fits_people: bool


@cache
def read_groups() -> tuple[Group, ...]:
    """Return the groups, in the order of the file."""
    return tuple(
        Group(_split(plural), _split(singular), adjective.rstrip("-"), not adjective.endswith("-"), frozenset(_split(targets)),
              kind, _split(emoji))
        for plural, singular, adjective, targets, kind, emoji in _lines("groups.tsv", 6)
    )  # fmt: skip


@cache
def read_frames() -> tuple[Frame, ...]:
    """Return the frames, form by form."""
    sides = defaultdict(list)
    for form, labels, text, without in _lines("frames.tsv", 4):
        sides[form, "h" in labels].append((text, labels, without))
    return tuple(
        Frame(form, _parse_labels(labels), text, frozenset(without.split(",")), split)
        for (form, _), rows in sides.items()
        for (text, labels, without), split in deal_splits(rows)
    )


@cache
def read_statements() -> dict[tuple[str, str], tuple[Statement, ...]]:
    """Return the statements by slot and split. Frames of a split are filled with statements of that split only.

    The slots are "bad", "good" and "plain", and "do_bad" to "do_plain" for those that can follow "do they".
    """
    statements = defaultdict(list)
    for slot, file in (("bad", "claims.tsv"), ("good", "goods.tsv"), ("plain", "plains.tsv")):
        for (kind, text, things), split in deal_splits(list(_lines(file, 3))):
            subjects = _split("" if things == "-" else things)
            predicate = text if kind == "does" else f"are {text}"
            statement = Statement(predicate, tuple(thing for thing in subjects if thing != "@"), "@" in subjects)
            statements[slot, split].append(statement)
            if not _NOT_AFTER_DO.match(predicate):
                statements[f"do_{slot}", split].append(statement)
    return {key: tuple(rows) for key, rows in statements.items()}


@cache
def read_words() -> dict[str, tuple[str, ...]]:
    """Return the fillers of the other slots."""
    words = defaultdict(list)
    for slot, text in _lines("words.tsv", 2):
        words[slot].append(text)
    return {slot: tuple(texts) for slot, texts in words.items()}


def deal_splits(rows: Sequence[tuple[str, ...]]) -> list[tuple[tuple[str, ...], str]]:
    """Return the rows with a split each. It depends on the texts of the rows, never on their order."""
    ordered = sorted(rows, key=lambda row: hashlib.sha256("\t".join(row[:2]).encode()).digest())
    return [(row, _SPLITS[at % len(_SPLITS)]) for at, row in enumerate(ordered)]


def _parse_labels(letters: str) -> dict[str, bool | None]:
    """Return the labels by first letter ("x" is threat). Whether hate is an insult too, only the file says."""
    labels: dict[str, bool | None] = dict.fromkeys("htixp", False)
    if "h" in letters:
        labels["i"] = None
    return labels | {letter: None if doubt else True for letter, doubt in _LABEL.findall(letters)}


def _lines(name: str, n_fields: int) -> Iterator[list[str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row + [""] * (n_fields - len(row))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()
