"""The functional checks: short cases whose label is beyond doubt."""

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..engines.base import Engine

FUNCTIONAL_CHECKS = Path(__file__).parent.parent / "data" / "functional_checks.csv"
_RESAMPLINGS = 2000
_CHECK_RESAMPLINGS = 10_000  # their intervals reach further into the tails


class Check(NamedTuple):
    """A functional check: a short case whose label is beyond doubt, in a group of cases that test one thing.

    Cases of one group and sentence say the same of different identities: one finding, not several.
    """

    id: str
    group: str
    sentence: int
    identity: str
    label: bool
    text: str


@cache
def read_functional_checks() -> tuple[Check, ...]:
    """Return the functional checks of this project. They compare versions; nothing learns from them."""
    with FUNCTIONAL_CHECKS.open(encoding="utf-8", newline="") as file:
        return tuple(
            Check(row["id"], row["group"], int(row["sentence"]), row["identity"], row["label"] == "1", row["text"])
            for row in csv.DictReader(file)
        )


@cache
def _check_columns() -> dict[str, np.ndarray]:
    checks = read_functional_checks()
    return {column: np.array([getattr(check, column) for check in checks]) for column in Check._fields}


def answer_checks(engine: "Engine", threshold: float) -> np.ndarray:
    """Return which functional checks are answered rightly: bool, shape (number of checks,)."""
    given = engine.predict_proba([check.text for check in read_functional_checks()]) >= threshold
    return given == _check_columns()["label"]


def summarise_checks(is_right: np.ndarray) -> dict:
    """Return the accuracy on each group of functional checks, and the error rates on each identity group.

    Parameters
    ----------
    is_right : ndarray of bool
        As of `answer_checks`.

    Returns
    -------
    dict
        "groups": {group: accuracy}; "identities": {identity: {"false_positive_rate", "false_negative_rate"}}, from all cases that
        name the identity; "false_positive_gap": the highest of the false-positive rates less the lowest. Shares, from 0 to 1.
    """
    columns = _check_columns()
    label = columns["label"]
    identities = {
        identity: {
            "false_positive_rate": round(float(1 - is_right[at & ~label].mean()), 4),
            "false_negative_rate": round(float(1 - is_right[at & label].mean()), 4),
        }
        for identity, at in _places("identity").items()
    }
    rates = [rate["false_positive_rate"] for rate in identities.values()]
    return {
        "groups": {group: round(float(is_right[at].mean()), 4) for group, at in _places("group").items()},
        "identities": identities,
        "false_positive_gap": round(max(rates) - min(rates), 4),
    }


def _places(column: str) -> dict[str, np.ndarray]:
    values = _check_columns()[column]
    return {str(value): values == value for value in dict.fromkeys(values.tolist()) if value}


def estimate_check_intervals(
    is_right: np.ndarray, rival: np.ndarray
) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Return bootstrap 95 % intervals of the difference of two classifiers on the functional checks, the first less the second.

    Sentences are drawn, each with all its variants, since one word more or less flips all of these at once. The intervals of
    the groups hold for all of them together (Bonferroni), as one of some twenty would else be off by chance every other time.

    Returns
    -------
    tuple
        {group: (low, high)} of the accuracy, and (low, high) of the false-positive gap.
    """
    columns = _check_columns()
    difference = is_right.astype(float) - rival
    random = np.random.default_rng(0)
    groups = _places("group")
    tail = 2.5 / len(groups)
    intervals = {}
    for group, at in groups.items():
        total, count = _sums(columns["sentence"][at], [difference[at], np.ones(at.sum())])
        drawn = random.multinomial(len(total), np.full(len(total), 1 / len(total)), _CHECK_RESAMPLINGS)
        low, high = np.percentile(drawn @ total / (drawn @ count), [tail, 100 - tail])
        intervals[group] = float(low), float(high)

    # The gap is over all groups: the same sentences for both classifiers and every identity.
    sentence = np.unique(np.char.add(columns["group"], columns["sentence"].astype(str)), return_inverse=True)[1]
    harmless = [(at & ~columns["label"]).astype(float) for at in _places("identity").values()]
    counts = np.column_stack(_sums(sentence, harmless))
    drawn = random.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _RESAMPLINGS)
    gaps = []
    for right in (is_right, rival):
        wrong = np.column_stack(_sums(sentence, [at * ~right for at in harmless]))
        rates = (drawn @ wrong) / np.maximum(drawn @ counts, 1)
        gaps.append(rates.max(1) - rates.min(1))
    low, high = np.percentile(gaps[0] - gaps[1], [2.5, 97.5])
    return intervals, (float(low), float(high))


def _sums(keys: np.ndarray, columns: list[np.ndarray]) -> list[np.ndarray]:
    """Return the sum of each column by key, keys in ascending order."""
    places = np.unique(keys, return_inverse=True)[1]
    return [np.bincount(places, column) for column in columns]
