"""Labelled rows, and the side that each is on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools
from ..evaluation.functional_checks import read_functional_checks
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..text import compute_likeness, cut_key, fingerprint
from .progress import Progress, Steps

# The sources that mean something here. A review is a person's decision; how it came may follow after a colon. The starter tweets
# come with the service.
REVIEW = "review"
STARTER = "starter"

# The gate counts how many reviews a version answers as reviewed. It takes at most so many, the first ones: rows come in the order
# of fingerprints, so these are a random sample.
_JUDGED_REVIEWS = 20_000
_ROWS_PER_PROGRESS = 1000


class Row(NamedTuple):
    """A label of a text, and its source.

    Attributes
    ----------
    text : str
    value : bool
        Whether the text carries the label.
    source : str
    label : str
    side : str
        The side of the text: see `choose_side`, which chooses it if it is "".
    key : str
        The API key that brought the label; "" if none did.
    night : str
        The day on which the label came.
    is_settled : bool
        Whether a person has confirmed the label after a training set it aside. Then no training does that again.
    """

    text: str
    value: bool
    source: str = "rows"
    label: str = PRIMARY
    side: str = ""
    key: str = ""
    night: str = ""
    is_settled: bool = False


# A row, or a plain tuple of its first fields.
RowFields = Row | tuple[str, bool] | tuple[str, bool, str] | tuple[str, bool, str, str]


def is_review(source: str) -> bool:
    """Return whether the labels of a source are decisions of people."""
    return source == REVIEW or source.startswith(f"{REVIEW}:")


def list_values(rows: list[Row]) -> Bools:
    """Return the values of `rows`: bool, shape (len(rows),)."""
    return np.array([row.value for row in rows], bool)


class RowsDigest:
    """The digest of training rows: the sha256 over fingerprint, value, label and source, in order.

    Two trainings with the same digest have the same rows. Give it the rows of the primary label first, then those of each other
    label.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def update(self, digest: str, value: bool, source: str, label: str = PRIMARY) -> None:
        # The primary label is left out, as in the first release, whose rows had no label. So their digests stay valid.
        said = source if label == PRIMARY else f"{label} {source}"
        self._sha256.update(bytes.fromhex(digest) + bytes([value]) + said.encode() + b"\0")

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def choose_side(digest: str) -> str:
    """Return the side of a text: "held_out" (20 %), "threshold" (8 %) or "fit" (72 %).

    This rule is public: the side depends on the fingerprint alone. So a text never changes sides, and scores compare across
    nights. Where people could gain by choosing the side of a text, its row says the side instead.
    """
    number = cut_key(digest)
    if number % 5 == 0:
        return "held_out"
    return "threshold" if number // 5 % 10 == 0 else "fit"


@dataclass(frozen=True)
class Split:
    """The rows of a training, by side.

    Attributes
    ----------
    sides : dict of (label, side) to list of Row
        Each text appears once for a label, with its first row. Texts of the functional checks, and texts that the shipped engine
        has learned from, are left out.
    training_reviews : list of Row
        Reviews of the primary label that are not held out, at most 20,000.
    reviews : dict of str to LabelIndex
        Every review by label, whatever its side. The version answers these texts, and those that read the same, as reviewed.
    digest : str
        See `RowsDigest`.
    sources : dict of str to int
        The number of rows of the primary label from each source.
    n_rows : int
        The number of rows of all labels.
    n_learned : int
        The number of rows of the primary label that the shipped engine has learned from before.
    n_trained_on : int
        The number of rows of the primary label that are not held out.
    """

    sides: dict[tuple[str, str], list[Row]]
    training_reviews: list[Row]
    reviews: dict[str, LabelIndex]
    digest: str
    sources: dict[str, int]
    n_rows: int
    n_learned: int
    n_trained_on: int

    def list_side(self, side: str, label: str = PRIMARY) -> list[Row]:
        """Return the rows of a label on a side."""
        return self.sides.get((label, side), [])

    def list_primary(self) -> list[Row]:
        """Return the rows of the primary label on all sides."""
        return self.list_learnable(PRIMARY) + self.list_side("held_out")

    def list_learnable(self, label: str) -> list[Row]:
        """Return the rows of a label that are not held out, for an engine that needs no rows of their own for the threshold."""
        return self.list_side("fit", label) + self.list_side("threshold", label)


def read_split(rows: Iterable[RowFields], learned: Container[str] = (), evaluated: Container[str] = ()) -> Steps[Split]:
    """Read all rows once and return their split.

    Parameters
    ----------
    rows : iterable of Row
        Or of tuples of its first two, three or four fields. Rows of the primary label come first, for the digest.
    learned : container of str
        Fingerprints of the texts that the shipped engine has learned from. They are neither held out nor learned again.
    evaluated : container of str
        Fingerprints of the shipped evaluation set. They are always held out.
    """
    reader = _Reader(learned, evaluated)
    for row in rows:
        reader.read(Row(*row))
        if reader.n_rows % _ROWS_PER_PROGRESS == 0:
            # The engine counts the rows instead, since it takes longer over them.
            yield Progress("reading", 0)
    return reader.finish()


class _Reader:
    """Collects a split, row by row."""

    def __init__(self, learned: Container[str], evaluated: Container[str]):
        self._learned, self._evaluated = learned, evaluated
        # Otherwise somebody could teach the functional checks by posting their texts as reviews.
        self._checks = {fingerprint(check.text) for check in read_functional_checks()}
        self._seen: dict[str, set[bytes]] = defaultdict(set)
        self._sides: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._training_reviews: list[Row] = []
        self._reviews: dict[str, list[tuple[str, str | None, bool]]] = defaultdict(list)
        self._digest = RowsDigest()
        self._sources: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self.n_rows = self._n_learned = self._n_trained_on = 0

    def read(self, row: Row) -> None:
        digest = fingerprint(row.text)
        short, seen = bytes.fromhex(digest), self._seen[row.label]
        if short in seen:
            return
        seen.add(short)
        # Keep one string for each source and label: a database returns a new one with each row.
        intern = self._names.setdefault
        source, label, side, key, night = (intern(name, name) for name in row[2:7])
        row = Row(row.text, row.value, source, label, side, key, night, row.is_settled)
        self.n_rows += 1
        self._digest.update(digest, row.value, row.source, row.label)
        if is_review(row.source):
            self._reviews[row.label].append((digest, compute_likeness(row.text), row.value))
        if digest in self._checks:
            return
        if digest in self._learned:
            self._n_learned += row.label == PRIMARY
            return
        side = "held_out" if digest in self._evaluated else row.side or choose_side(digest)
        self._sides[row.label, side].append(row)
        if row.label == PRIMARY:
            self._count(row, side)

    def _count(self, row: Row, side: str) -> None:
        self._sources[row.source] += 1
        if side != "held_out":
            self._n_trained_on += 1
            if is_review(row.source) and len(self._training_reviews) < _JUDGED_REVIEWS:
                self._training_reviews.append(row)

    def finish(self) -> Split:
        return Split(
            dict(self._sides),
            self._training_reviews,
            {label: LabelIndex.build_of_reviews(said) for label, said in self._reviews.items()},
            self._digest.hexdigest(),
            dict(sorted(self._sources.items())),
            self.n_rows,
            self._n_learned,
            self._n_trained_on,
        )
