"""How good a classifier is on labelled texts: the threshold, figures with intervals, and the functional checks."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

FUNCTIONAL_CHECKS = Path(__file__).parent / "data" / "functional_checks.csv"

_RESAMPLINGS = 2000
_CHECK_RESAMPLINGS = 10_000  # their intervals reach further into the tails

# A threshold is judged with every log-odds blurred by this much, so that it does not follow the accidents of the few
# hateful texts it is chosen on. Values from 0.05 to 0.4 came out within half a point of each other.
_BLUR = 0.25
_LOG_ODDS = np.linspace(-5, 5, 401)


class Engine(Protocol):
    """What is measured."""

    def predict_proba(self, texts: list[str]) -> np.ndarray: ...


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


def choose_threshold(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the threshold in (0, 1) with the best blurred F1 of the hate class; 0.5 where one label is absent.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    """
    if len(set(labels.tolist())) < 2:
        return 0.5
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    log_odds = np.log(clipped / (1 - clipped))
    f1 = []
    for threshold in _LOG_ODDS:
        flagged = 0.5 + 0.5 * np.tanh((log_odds - threshold) / (2 * _BLUR))
        f1.append(2 * flagged[labels].sum() / (flagged.sum() + labels.sum()))
    return float(1 / (1 + np.exp(-_LOG_ODDS[int(np.argmax(f1))])))


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error (Naeini et al. 2015), from 0 to 1: how far, in the mean over ten bins of equal width,
    the share of hateful texts is from the probability given.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    """
    bins = np.minimum((probabilities * 10).astype(int), 9)
    gaps = [abs(probabilities[bins == at].sum() - labels[bins == at].sum()) for at in range(10)]
    return float(sum(gaps) / max(len(labels), 1))


def measure(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict:
    """Return F1, precision and recall of the hate class, ROC AUC and the count of the texts.

    A figure that does not exist is 0.0 for F1, precision and recall, and `None` for the ROC AUC of texts of one label.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    threshold : float
        A text at or above it is called hateful.
    """
    from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

    if not len(labels):
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0, "roc_auc": None, "n": 0}
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, probabilities >= threshold, average="binary", zero_division=0
    )
    both = len(set(labels.tolist())) == 2
    roc_auc = round(float(roc_auc_score(labels, probabilities)), 4) if both else None
    rounded = {name: round(float(value), 4) for name, value in (("f1", f1), ("precision", precision), ("recall", recall))}
    return {**rounded, "roc_auc": roc_auc, "n": len(labels)}


def measure_by_source(sources: list[str], labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, dict]:
    """Return `measure` of the texts of each source, sources in alphabetical order."""
    import pandas as pd

    table = pd.DataFrame({"source": sources, "label": labels, "probability": probabilities})
    return {
        str(source): measure(rows["label"].to_numpy(), rows["probability"].to_numpy(), threshold)
        for source, rows in table.groupby("source")
    }


def format_table(by_source: dict[str, dict]) -> str:
    """Return the figures of `measure_by_source` as a text table, one line a source."""
    import pandas as pd

    return pd.DataFrame.from_dict(by_source, orient="index").to_string(na_rep="-", float_format="{:.3f}".format)


def evaluate(labels: list[bool], probabilities: list[float], threshold: float, groups: dict[str, list[str]]) -> dict:
    """Return figures on labelled texts, on all and by group, each beside what always giving the more frequent label reaches.

    Parameters
    ----------
    labels, probabilities : list, of length n
    threshold : float
        A text at or above it is called hateful.
    groups : dict
        From the name of a column to its values, each of length n.

    Returns
    -------
    dict
        "threshold"; "all": figures; "groups": {column: {value: figures}}.
    """
    truth, given = np.array(labels, bool), np.array(probabilities)
    by_column = {}
    for column, values in groups.items():
        array = np.array(values)
        by_column[column] = {
            value: _measure_with_baseline(truth[array == value], given[array == value], threshold)
            for value in sorted(dict.fromkeys(values))
        }
    return {"threshold": threshold, "all": _measure_with_baseline(truth, given, threshold), "groups": by_column}


def _measure_with_baseline(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict:
    flagged = probabilities >= threshold
    hateful = float(labels.mean())
    majority = np.full(len(labels), hateful >= 0.5)
    figures = measure(labels, probabilities, threshold)
    return {
        "n": figures.pop("n"),
        "accuracy": round(float((flagged == labels).mean()), 4),
        "majority_accuracy": round(max(hateful, 1 - hateful), 4),
        "macro_f1": _macro_f1(labels, flagged),
        "majority_macro_f1": _macro_f1(labels, majority),
        **figures,
        "calibration_error": round(calibration_error(labels, probabilities), 4),
    }


def _macro_f1(labels: np.ndarray, flagged: np.ndarray) -> float:
    """Return the mean of the F1 of those of the two classes that there are."""
    values = [f1_of(truth, said) for truth, said in ((labels, flagged), (~labels, ~flagged)) if (truth | said).any()]
    return round(float(np.mean(values)), 4)


def f1_of(labels: np.ndarray, flagged: np.ndarray) -> float:
    """Return F1 of what is flagged, 0 where it does not exist; both bool, shape (n,)."""
    return float(_f1((labels & flagged).sum(), (labels & ~flagged).sum(), (~labels & flagged).sum()))


def _f1(hits, misses, false_alarms):
    """Return F1, 0 where it does not exist; numbers or arrays."""
    return 2 * hits / np.maximum(2 * hits + misses + false_alarms, 1)


def f1_interval(labels: np.ndarray, flagged: np.ndarray) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of F1; the same arguments give the same interval."""
    counts = _resampled_counts([labels, flagged])
    low, high = np.percentile(_f1(counts[:, 1, 1], counts[:, 1, 0], counts[:, 0, 1]), [2.5, 97.5])
    return float(low), float(high)


def f1_difference(labels: np.ndarray, flagged: np.ndarray, rival: np.ndarray) -> tuple[float, float, tuple[float, float]]:
    """Return the F1 of two classifiers on the same texts and the paired bootstrap 95 % interval of the first less the second.

    Parameters
    ----------
    labels, flagged, rival : ndarray of bool, shape (n,)
        The truth and what each of the two says.
    """
    counts = _resampled_counts([labels, flagged, rival])
    mine = _f1(counts[:, 1, 1].sum(-1), counts[:, 1, 0].sum(-1), counts[:, 0, 1].sum(-1))
    other = _f1(counts[:, 1, :, 1].sum(-1), counts[:, 1, :, 0].sum(-1), counts[:, 0, :, 1].sum(-1))
    low, high = np.percentile(mine - other, [2.5, 97.5])
    return f1_of(labels, flagged), f1_of(labels, rival), (float(low), float(high))


def _resampled_counts(columns: list[np.ndarray]) -> np.ndarray:
    """Return how often each combination of the columns' values occurs in each of many resamplings of their rows.

    Drawing n rows with replacement and counting them is one multinomial draw over the combinations, so the time does not
    grow with the number of texts.

    Returns
    -------
    ndarray of int, shape (resamplings, 2, ..., 2)
    """
    n = len(columns[0])
    cells = np.zeros(n, np.int64)
    for column in columns:
        cells = 2 * cells + column
    counts = np.bincount(cells, minlength=2 ** len(columns))
    draws = np.random.default_rng(0).multinomial(n, counts / max(n, 1), _RESAMPLINGS) if n else np.zeros((1, len(counts)))
    return draws.reshape(-1, *[2] * len(columns))


@cache
def functional_checks() -> tuple[Check, ...]:
    """Return the functional checks of this project; they compare versions, and nothing learns from them."""
    with FUNCTIONAL_CHECKS.open(encoding="utf-8", newline="") as file:
        return tuple(
            Check(row["id"], row["group"], int(row["sentence"]), row["identity"], row["label"] == "1", row["text"])
            for row in csv.DictReader(file)
        )


@cache
def _check_columns() -> dict[str, np.ndarray]:
    checks = functional_checks()
    return {column: np.array([getattr(check, column) for check in checks]) for column in Check._fields}


def answer_checks(engine: Engine, threshold: float) -> np.ndarray:
    """Return which functional checks are answered rightly: bool, shape (number of checks,)."""
    given = engine.predict_proba([check.text for check in functional_checks()]) >= threshold
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


def check_intervals(is_right: np.ndarray, rival: np.ndarray) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Return bootstrap 95 % intervals of what two classifiers differ by on the functional checks, the first less the second.

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
