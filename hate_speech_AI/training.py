"""Labelled rows in, candidate version out: fixed seeds, no database."""

import hashlib
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

from .engines import linear
from .engines.linear import LinearEngine
from .evaluation import answer_checks, choose_threshold, functional_checks, measure, measure_by_source, summarise_checks
from .labels import LabelIndex
from .text import fingerprint

SEED = 20260101

# Sources that mean something here: a person's decision, and the sentences that the service comes with.
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


@dataclass(frozen=True)
class Candidate:
    """A trained version that is not in the store yet.

    Attributes
    ----------
    engine : LinearEngine
    manifest : dict
        What is known of it: threshold, figures, rows, parameters, libraries.
    held_out : list of Row
        What it was measured on.
    probabilities : ndarray of float64, shape (len(held_out),)
    training_reviews : list of Row
        Reviews among what it learned from, not all of very many.
    reviews : LabelIndex
        Every review, of both sides: the version answers them as reviewed.
    """

    engine: LinearEngine
    manifest: dict
    held_out: list[Row]
    probabilities: np.ndarray
    training_reviews: list[Row]
    reviews: LabelIndex


class RowsDigest:
    """What tells one set of training rows from another: sha256 over fingerprint, label and source, in order."""

    def __init__(self):
        self._sha256 = hashlib.sha256()

    def update(self, digest: str, is_hate_speech: bool, source: str) -> None:
        self._sha256.update(bytes.fromhex(digest) + bytes([is_hate_speech]) + source.encode() + b"\0")

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


def train(rows: Iterable[Row], report: Callable[[str, int], None] = lambda stage, done: None) -> Candidate:
    """Train a candidate on a stream of labelled rows.

    1. Split the rows by fingerprint, the first of each fingerprint; the fitting side is never held in memory as text. Texts of
       the functional checks are passed over: who posts them as reviews does not teach the test.
    2. Fit the engine.
    3. Choose the threshold on the threshold side.
    4. Measure on the held-out side and on the functional checks.

    Parameters
    ----------
    rows : iterable of Row
        Or of tuples (text, is_hate_speech, source). The same rows in the same order give the same model, bit for bit.
    report : callable, optional
        Called with a stage ("reading", "fitting", "evaluating") and the number of rows read so far.

    Raises
    ------
    NotEnoughDataError
        The fitting side lacks one of the labels.
    """
    seen: set[bytes] = set()
    sides: dict[str, list[Row]] = {"held_out": [], "threshold": []}
    reviews: list[tuple[str, bool]] = []
    training_reviews: list[Row] = []
    digest = RowsDigest()
    sources: Counter[str] = Counter()
    trained_on = 0
    checks = {fingerprint(check.text) for check in functional_checks()}

    def fitting_rows() -> Iterator[tuple[str, bool]]:
        nonlocal trained_on
        for row in map(Row._make, rows):
            key = fingerprint(row.text)
            if (short := bytes.fromhex(key)) in seen:
                continue
            seen.add(short)
            digest.update(key, row.is_hate_speech, row.source)
            if len(seen) % 1000 == 0:
                report("reading", len(seen))
            if row.source == REVIEW:
                reviews.append((key, row.is_hate_speech))
            if key in checks:
                continue
            sources[row.source] += 1
            side = side_of(key)
            if side != "held_out":
                trained_on += 1
                if row.source == REVIEW and len(training_reviews) < _JUDGED_REVIEWS:
                    training_reviews.append(row)
            if side == "fit":
                yield row.text, row.is_hate_speech
            else:
                sides[side].append(row)
        report("fitting", len(seen))

    engine = LinearEngine.fit(fitting_rows(), seed=SEED)
    report("evaluating", len(seen))
    held_out = sides["held_out"]
    threshold = choose_threshold(labels_of(sides["threshold"]), engine.predict_proba([row.text for row in sides["threshold"]]))
    labels, probabilities = labels_of(held_out), engine.predict_proba([row.text for row in held_out])
    figures = measure(labels, probabilities, threshold)
    manifest = {
        "engine": engine.name,
        "threshold": threshold,
        "score": {
            "score": figures["f1"],
            "precision": figures["precision"],
            "recall": figures["recall"],
            "roc_auc": figures["roc_auc"],
            "held_out": figures["n"],
            "trained_on": trained_on,
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "by_source": measure_by_source([row.source for row in held_out], labels, probabilities, threshold),
        "checks": summarise_checks(answer_checks(engine, threshold)),
        "rows": {"digest": digest.hexdigest(), "by_source": dict(sorted(sources.items()))},
        "parameters": linear.PARAMETERS,
        "seed": SEED,
        "libraries": libraries(),
    }
    return Candidate(engine, manifest, held_out, probabilities, training_reviews, LabelIndex.of(reviews))


def labels_of(rows: list[Row]) -> np.ndarray:
    """Return the labels of `rows`: bool, shape (len(rows),)."""
    return np.array([row.is_hate_speech for row in rows], bool)


def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that take part in a training."""
    names = ("numpy", "scipy", "scikit-learn", "stemming")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
