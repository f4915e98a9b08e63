"""The functional checks: short cases whose label is beyond doubt."""

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Places, Strings
from ..manifest import CheckFigures, ErrorRates

if TYPE_CHECKING:
    from ..engines.base import Engine

FUNCTIONAL_CHECKS = Path(__file__).parent.parent / "data" / "functional_checks.csv"
_RESAMPLINGS = 2000
_CHECK_RESAMPLINGS = 10_000  # their intervals reach further into the tails


class Check(NamedTuple):
    """A functional check: a short case whose label is beyond doubt. The cases of a group test the same thing.

    The cases of a sentence (within a group) differ in the identity that they name. Their answers are not independent.
    """

    id: str
    group: str
    sentence: int
    identity: str
    label: bool
    text: str


@cache
def read_functional_checks() -> tuple[Check, ...]:
    """Read the functional checks of this project. They compare versions. Nothing learns from them."""
    with FUNCTIONAL_CHECKS.open(encoding="utf-8", newline="") as file:
        return tuple(
            Check(row["id"], row["group"], int(row["sentence"]), row["identity"], row["label"] == "1", row["text"])
            for row in csv.DictReader(file)
        )


class _Columns(NamedTuple):
    """The columns of the functional checks, each of shape (number of checks,)."""

    group: Strings
    sentence: Places
    identity: Strings
    is_hate: Bools


@cache
def _load_columns() -> _Columns:
    checks = read_functional_checks()
    return _Columns(
        np.array([check.group for check in checks], np.str_),
        np.array([check.sentence for check in checks], np.intp),
        np.array([check.identity for check in checks], np.str_),
        np.array([check.label for check in checks], np.bool_),
    )


def answer_checks(engine: "Engine", threshold: float) -> Bools:
    """Return which functional checks the engine answers correctly: shape (number of checks,)."""
    flagged = engine.predict_proba([check.text for check in read_functional_checks()]) >= threshold
    is_right: Bools = flagged == _load_columns().is_hate
    return is_right


def summarise_checks(is_right: Bools) -> CheckFigures:
    """Return the figures on the functional checks, as shares from 0 to 1.

    "groups" has the accuracy on each group. "identities" has the error rates on the cases that name each identity.
    "false_positive_gap" is the highest false-positive rate of an identity less the lowest.

    Parameters
    ----------
    is_right : ndarray of bool, shape (number of checks,)
        Which checks are answered correctly, from `answer_checks`.
    """
    columns = _load_columns()
    label = columns.is_hate
    identities: dict[str, ErrorRates] = {
        identity: {
            "false_positive_rate": round(float(1 - is_right[at & ~label].mean()), 4),
            "false_negative_rate": round(float(1 - is_right[at & label].mean()), 4),
        }
        for identity, at in _find_places(columns.identity).items()
    }
    rates = [rate["false_positive_rate"] for rate in identities.values()]
    return {
        "groups": {group: round(float(is_right[at].mean()), 4) for group, at in _find_places(columns.group).items()},
        "identities": identities,
        "false_positive_gap": round(max(rates) - min(rates), 4),
    }


def _find_places(column: Strings) -> dict[str, Bools]:
    """Return a mask for each value of a column, but none for the empty string."""
    return {value: column == value for value in dict.fromkeys(column.tolist()) if value}


def estimate_group_interval(group: str, is_right: Bools, rival: Bools) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of the difference of two classifiers' accuracy on a group, the first less the second.

    Sentences are drawn, each with all its variants, since one more word flips all of these at once. The intervals of all groups
    hold jointly (Bonferroni). Otherwise one of some twenty intervals would exclude the truth in most comparisons.

    Parameters
    ----------
    is_right, rival : ndarray of bool, shape (number of checks,)
        Which checks each classifier answers correctly.
    """
    columns = _load_columns()
    groups = _find_places(columns.group)
    at, tail = groups[group], 2.5 / len(groups)
    difference = is_right[at].astype(float) - rival[at]
    total, count = _sum_by_key(columns.sentence[at], [difference, np.ones(len(difference))])
    drawn = _draw_sentences(len(total), _CHECK_RESAMPLINGS)
    low, high = np.percentile(drawn @ total / (drawn @ count), [tail, 100 - tail])
    return float(low), float(high)


def estimate_gap_interval(is_right: Bools, rival: Bools) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of the difference of two classifiers' false-positive gaps, which are over all groups."""
    columns = _load_columns()
    # Each draw has the same sentences for both classifiers and every identity.
    sentence = np.unique(np.char.add(columns.group, columns.sentence.astype(np.str_)), return_inverse=True)[1]
    harmless = [(at & ~columns.is_hate).astype(float) for at in _find_places(columns.identity).values()]
    counts = np.column_stack(_sum_by_key(sentence, harmless))
    drawn = _draw_sentences(len(counts), _RESAMPLINGS)
    gaps = []
    for right in (is_right, rival):
        wrong = np.column_stack(_sum_by_key(sentence, [at * ~right for at in harmless]))
        rates = (drawn @ wrong) / np.maximum(drawn @ counts, 1)
        gaps.append(rates.max(1) - rates.min(1))
    low, high = np.percentile(gaps[0] - gaps[1], [2.5, 97.5])
    return float(low), float(high)


@cache
def _draw_sentences(n: int, resamplings: int) -> Floats:
    """Draw n of n sentences with replacement, many times: how often each was drawn, shape (resamplings, n)."""
    # Kept, since drawing takes most of the time of a comparison.
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), resamplings).astype(np.float32)


def select_group(group: str) -> Bools:
    """Return which checks belong to a group; for "", those harmless ones that name an identity."""
    columns = _load_columns()
    is_of_group: Bools = columns.group == group if group else (columns.identity != "") & ~columns.is_hate
    return is_of_group


def _sum_by_key(keys: Places, columns: list[Floats]) -> list[Floats]:
    """Return the sum of each column by key, keys in ascending order."""
    places = np.unique(keys, return_inverse=True)[1]
    return [np.asarray(np.bincount(places, column), np.float64) for column in columns]
