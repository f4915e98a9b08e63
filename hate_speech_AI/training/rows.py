"""Labelled rows, and the side that each is on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Container, Generator, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..evaluation.functional_checks import read_functional_checks
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..text import fingerprint
from .progress import Progress

# Sources that mean something here: a person's decision, perhaps with how it came after a colon, and the sentences that the
# service comes with.
REVIEW = "review"
STARTER = "starter"

# The gate asks how many reviews a version answers as reviewed; of more it asks the first so many, which in the order of
# fingerprints are as good as drawn by lot.
_JUDGED_REVIEWS = 20_000
_BEAT = 1000  # rows between two words of progress


class Row(NamedTuple):
    """A label of a text, and where it comes from.

    Attributes
    ----------
    text : str
    value : bool
        Whether the text carries the label.
    source : str
    label : str
    """

    text: str
    value: bool
    source: str = "rows"
    label: str = PRIMARY


def is_review(source: str) -> bool:
    """Return whether labels of `source` are decisions of persons."""
    return source == REVIEW or source.startswith(f"{REVIEW}:")


def list_values(rows: list[Row]) -> np.ndarray:
    """Return the values of `rows`: bool, shape (len(rows),)."""
    return np.array([row.value for row in rows], bool)


class RowsDigest:
    """What tells one set of training rows from another: sha256 over fingerprint, value, label and source, in order.

    Give it the rows of the primary label first, then those of each other label.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def update(self, digest: str, value: bool, source: str, label: str = PRIMARY) -> None:
        # The primary label is not named: its rows had no label when this formula was made.
        said = source if label == PRIMARY else f"{label} {source}"
        self._sha256.update(bytes.fromhex(digest) + bytes([value]) + said.encode() + b"\0")

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def choose_side(digest: str) -> str:
    """Return the side that a text's fingerprint puts it on: "held_out" (20 %), "threshold" (8 %) or "fit" (72 %).

    It depends on nothing else, so a text never moves between the sides and scores compare across nights.
    """
    number = int(digest[:16], 16)
    if number % 5 == 0:
        return "held_out"
    return "threshold" if number // 5 % 10 == 0 else "fit"


@dataclass(frozen=True)
class Split:
    """The rows of a training on their sides.

    Attributes
    ----------
    sides : dict of (label, side) to list of Row
        Each text once for a label, the first row of equals. Left out are texts of the functional checks, and texts that the
        shipped engine has learned from.
    training_reviews : list of Row
        Reviews of the primary label that are not held out, not all of very many.
    reviews : dict of str to LabelIndex
        Every review, by label: the version answers them as reviewed.
    digest : str
        See `RowsDigest`.
    sources : dict of str to int
        How many rows of the primary label each source has.
    n_rows, n_learned, n_trained_on : int
        How many rows there are of all labels; how many of the primary label the shipped engine has learned from before; and how
        many of the primary label are not held out.
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

    def list_learnable(self, label: str) -> list[Row]:
        """Return the rows of a label that are not held out, for an engine that keeps none for the threshold alone."""
        return self.list_side("fit", label) + self.list_side("threshold", label)


def read_split(
    rows: Iterable[Row | tuple], learned: Container[str] = (), evaluated: Container[str] = ()
) -> Generator[Progress, None, Split]:
    """Read all rows once, yielding progress, and return their split.

    Parameters
    ----------
    rows : iterable of Row
        Or of tuples of its first two, three or four fields. Those of the primary label come first, for the digest.
    learned : container of str
        Fingerprints of the texts that the shipped engine has learned from: neither held out nor learned again.
    evaluated : container of str
        Fingerprints of the shipped evaluation set: held out, whatever their number says.
    """
    reader = _Reader(learned, evaluated)
    for row in rows:
        reader.read(Row(*row))
        if reader.n_rows % _BEAT == 0:
            # The count is left to the engine, which takes longer over the rows.
            yield Progress("reading", 0)
    return reader.finish()


class _Reader:
    """What is known of the rows while they are read."""

    def __init__(self, learned: Container[str], evaluated: Container[str]):
        self._learned, self._evaluated = learned, evaluated
        # Who posts texts of the functional checks as reviews does not teach the test.
        self._checks = {fingerprint(check.text) for check in read_functional_checks()}
        self._seen: dict[str, set[bytes]] = defaultdict(set)
        self._sides: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._training_reviews: list[Row] = []
        self._reviews: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        self._digest = RowsDigest()
        self._sources: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self.n_rows = self._n_learned = self._n_trained_on = 0

    def read(self, row: Row) -> None:
        key = fingerprint(row.text)
        short, seen = bytes.fromhex(key), self._seen[row.label]
        if short in seen:
            return
        seen.add(short)
        # One string for each source and label: a database gives a new one with each row.
        same = self._names.setdefault
        row = Row(row.text, row.value, same(row.source, row.source), same(row.label, row.label))
        self.n_rows += 1
        self._digest.update(key, row.value, row.source, row.label)
        if is_review(row.source):
            self._reviews[row.label].append((key, row.value))
        if key in self._checks:
            return
        if key in self._learned:
            self._n_learned += row.label == PRIMARY
            return
        side = "held_out" if key in self._evaluated else choose_side(key)
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
            {label: LabelIndex.build(said) for label, said in self._reviews.items()},
            self._digest.hexdigest(),
            dict(sorted(self._sources.items())),
            self.n_rows,
            self._n_learned,
            self._n_trained_on,
        )
