"""Labelled rows, and the side that each is on."""

import hashlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..evaluation.functional_checks import functional_checks
from ..text import fingerprint

# Sources that mean something here: a person's decision, perhaps with how it came after a colon, and the sentences that the
# service comes with.
REVIEW = "review"
STARTER = "starter"

# The gate asks how many reviews a version answers as reviewed; of more it asks the first so many, which in the order of
# fingerprints are as good as drawn by lot.
_JUDGED_REVIEWS = 20_000


class Row(NamedTuple):
    """A labelled tweet and where its label comes from."""

    text: str
    is_hate_speech: bool
    source: str = "rows"


class ToxicRow(NamedTuple):
    """A tweet, whether it is toxic, and where that label comes from: a review of some kind."""

    text: str
    is_toxic: bool
    source: str = REVIEW


def is_review(source: str) -> bool:
    """Return whether labels of `source` are decisions of persons."""
    return source == REVIEW or source.startswith(f"{REVIEW}:")


class RowsDigest:
    """What tells one set of training rows from another: sha256 over fingerprint, label, its name and source, in order."""

    def __init__(self):
        self._sha256 = hashlib.sha256()

    def update(self, digest: str, value: bool, source: str, name: str = "hate") -> None:
        said = source if name == "hate" else f"{name} {source}"
        self._sha256.update(bytes.fromhex(digest) + bytes([value]) + said.encode() + b"\0")

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def side_of(digest: str) -> str:
    """Return the side that a text's fingerprint puts it on: "held_out" (20 %), "threshold" (8 %) or "fit" (72 %).

    It depends on nothing else, so a tweet never moves between the sides and scores compare across nights.
    """
    number = int(digest[:16], 16)
    if number % 5 == 0:
        return "held_out"
    return "threshold" if number // 5 % 10 == 0 else "fit"


@dataclass
class Split:
    """Labelled rows on their sides, filled while they stream by; the fitting side is never held in memory as text.

    Attributes
    ----------
    learned : container of str
        Fingerprints that the shipped weights learned from: neither held out nor learned again.
    frozen : container of str
        Fingerprints of the shipped evaluation set: held out, whatever their number says.
    """

    learned: Container[str] = ()
    frozen: Container[str] = ()
    held_out: list[Row] = field(default_factory=list)
    threshold: list[Row] = field(default_factory=list)
    reviews: list[tuple[str, bool]] = field(default_factory=list)
    toxic_reviews: list[tuple[str, bool]] = field(default_factory=list)
    training_reviews: list[Row] = field(default_factory=list)
    digest: RowsDigest = field(default_factory=RowsDigest)
    sources: Counter[str] = field(default_factory=Counter)
    n_rows: int = 0
    n_learned: int = 0
    n_trained_on: int = 0

    def fitting_rows(self, rows: Iterable[Row], report: Callable[[str, int], None]) -> Iterator[tuple[str, bool]]:
        """Yield the rows to fit, the first of each fingerprint, and put the others on their sides.

        Texts of the functional checks are passed over: who posts them as reviews does not teach the test.
        """
        seen: set[bytes] = set()
        checks = {fingerprint(check.text) for check in functional_checks()}
        for row in map(Row._make, rows):
            key = fingerprint(row.text)
            if (short := bytes.fromhex(key)) in seen:
                continue
            seen.add(short)
            self.n_rows += 1
            self.digest.update(key, row.is_hate_speech, row.source)
            if self.n_rows % 1000 == 0:
                report("reading", self.n_rows)
            if is_review(row.source):
                self.reviews.append((key, row.is_hate_speech))
            if key in checks:
                continue
            if key in self.learned:
                self.n_learned += 1
                continue
            self.sources[row.source] += 1
            side = "held_out" if key in self.frozen else side_of(key)
            if side != "held_out":
                self.n_trained_on += 1
                if is_review(row.source) and len(self.training_reviews) < _JUDGED_REVIEWS:
                    self.training_reviews.append(row)
            if side == "fit":
                yield row.text, row.is_hate_speech
            else:
                (self.held_out if side == "held_out" else self.threshold).append(row)
        report("fitting", self.n_rows)

    def fitting_toxic_rows(self, rows: Iterable[ToxicRow]) -> Iterator[tuple[str, bool]]:
        """Yield those rows, each of another fingerprint, that the toxic head may learn from; to be called after the other."""
        checks = {fingerprint(check.text) for check in functional_checks()}
        for row in rows:
            key = fingerprint(row.text)
            self.digest.update(key, row.is_toxic, row.source, "toxic")
            self.toxic_reviews.append((key, row.is_toxic))
            kept_out = key in checks or key in self.learned or key in self.frozen
            if not kept_out and side_of(key) != "held_out":
                yield row.text, row.is_toxic


def labels_of(rows: list[Row]) -> np.ndarray:
    """Return the labels of `rows`: bool, shape (len(rows),)."""
    return np.array([row.is_hate_speech for row in rows], bool)
