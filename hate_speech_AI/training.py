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
from .evaluation import choose_threshold, measure, measure_by_source
from .text import fingerprint

SEED = 20260101


class Row(NamedTuple):
    """A labelled tweet and where its label comes from."""

    text: str
    is_hate_speech: bool
    source: str = "rows"


@dataclass(frozen=True)
class Candidate:
    """A trained engine and what its manifest says of it."""

    engine: LinearEngine
    manifest: dict


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

    1. Split the rows by fingerprint, the first of each fingerprint; the fitting side is never held in memory as text.
    2. Fit the engine.
    3. Choose the threshold on the threshold side.
    4. Measure on the held-out side.

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
    digest = hashlib.sha256()
    sources: Counter[str] = Counter()

    def fitting_rows() -> Iterator[tuple[str, bool]]:
        for row in map(Row._make, rows):
            key = fingerprint(row.text)
            if (short := bytes.fromhex(key)) in seen:
                continue
            seen.add(short)
            digest.update(short + bytes([row.is_hate_speech]))
            sources[row.source] += 1
            if len(seen) % 1000 == 0:
                report("reading", len(seen))
            if (side := side_of(key)) == "fit":
                yield row.text, row.is_hate_speech
            else:
                sides[side].append(row)
        report("fitting", len(seen))

    engine = LinearEngine.fit(fitting_rows(), seed=SEED)
    report("evaluating", len(seen))
    threshold = choose_threshold(*_judge(engine, sides["threshold"]))
    labels, probabilities = _judge(engine, sides["held_out"])
    figures = measure(labels, probabilities, threshold)
    return Candidate(
        engine,
        {
            "engine": engine.name,
            "threshold": threshold,
            "score": {
                "score": figures["f1"],
                "precision": figures["precision"],
                "recall": figures["recall"],
                "roc_auc": figures["roc_auc"],
                "held_out": figures["n"],
                "trained_on": len(seen) - figures["n"],
                "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            "by_source": measure_by_source([row.source for row in sides["held_out"]], labels, probabilities, threshold),
            "rows": {"digest": digest.hexdigest(), "by_source": dict(sorted(sources.items()))},
            "parameters": linear.PARAMETERS,
            "seed": SEED,
            "libraries": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "stemming")},
            },
        },
    )


def _judge(engine: LinearEngine, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (bool) and the probabilities (float64) of `rows`."""
    return np.array([row.is_hate_speech for row in rows], bool), engine.predict_proba([row.text for row in rows])
