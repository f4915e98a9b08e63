"""How good a classifier is on labelled texts."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bools, Floats
from ..manifest import Figures, TargetErrors

Counts = NDArray[np.int64] | Floats | np.int64 | np.float64


class BaselineFigures(Figures):
    """Figures on some texts beside those of the majority baseline, which always gives the more frequent label."""

    accuracy: float
    majority_accuracy: float
    macro_f1: float
    majority_macro_f1: float
    calibration_error: float


class Evaluation(TypedDict):
    """Figures on labelled texts: on all, and by the values of each column."""

    threshold: float
    all: BaselineFigures
    groups: dict[str, dict[str, BaselineFigures]]


def compute_log_loss(labels: Bools, probabilities: Floats) -> Floats:
    """Return the log loss of each text: shape (n,). None is above 4.6, so that a single text does not decide.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    """
    losses: Floats = -np.log(np.clip(np.where(labels, probabilities, 1 - probabilities), 0.01, 1))
    return losses


def calibration_error(labels: Bools, probabilities: Floats) -> float:
    """Return the expected calibration error (Naeini et al. 2015), from 0 to 1.

    It is the mean distance between the share of hateful texts and their mean probability, over ten bins of equal width.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    """
    bins = np.minimum((probabilities * 10).astype(int), 9)
    gaps = [abs(probabilities[bins == at].sum() - labels[bins == at].sum()) for at in range(10)]
    return float(sum(gaps) / max(len(labels), 1))


def measure(labels: Bools, probabilities: Floats, threshold: float) -> Figures:
    """Return F1, precision and recall of the hate class, ROC AUC and the number of texts.

    An undefined F1, precision or recall is 0.0. ROC AUC is `None` if all labels are equal.

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
    f1, precision, recall = (round(float(value), 4) for value in (f1, precision, recall))
    return {"f1": f1, "precision": precision, "recall": recall, "roc_auc": roc_auc, "n": len(labels)}


def measure_by_source(sources: list[str], labels: Bools, probabilities: Floats, threshold: float) -> dict[str, Figures]:
    """Return the figures on the texts of each source, sources in alphabetical order."""
    import pandas as pd

    table = pd.DataFrame({"source": sources, "label": labels, "probability": probabilities})
    return {
        str(source): measure(rows["label"].to_numpy(), rows["probability"].to_numpy(), threshold)
        for source, rows in table.groupby("source")
    }


def count_errors_by_target(places: Mapping[str, Bools], labels: Bools, flagged: Bools) -> dict[str, TargetErrors]:
    """Return the errors on the texts of each target.

    Parameters
    ----------
    places : dict of str to ndarray of bool, shape (n,)
        Which texts have a target. A text may have several.
    labels, flagged : ndarray of bool, shape (n,)
        Which texts are hateful, and which are called so.
    """
    return {
        target: {
            "hateful": int((has & labels).sum()),
            "missed": int((has & labels & ~flagged).sum()),
            "harmless": int((has & ~labels).sum()),
            "flagged": int((has & ~labels & flagged).sum()),
        }
        for target, has in places.items()
    }


def format_table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return figures by name as a text table, one line a name."""
    import pandas as pd

    table: str = pd.DataFrame.from_dict(figures, orient="index").to_string(na_rep="-", float_format="{:.3f}".format)
    return table


def evaluate(labels: list[bool], probabilities: list[float], threshold: float, groups: dict[str, list[str]]) -> Evaluation:
    """Return figures on labelled texts, on all and by group, beside the majority baseline.

    Parameters
    ----------
    labels, probabilities : list, of length n
    threshold : float
        A text at or above it is called hateful.
    groups : dict of str to list of str
        The values of each column, of length n.
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


def _measure_with_baseline(labels: Bools, probabilities: Floats, threshold: float) -> BaselineFigures:
    flagged = probabilities >= threshold
    hateful = float(labels.mean())
    majority = np.full(len(labels), hateful >= 0.5)
    figures = measure(labels, probabilities, threshold)
    return {
        "n": figures["n"],
        "accuracy": round(float((flagged == labels).mean()), 4),
        "majority_accuracy": round(max(hateful, 1 - hateful), 4),
        "macro_f1": _macro_f1(labels, flagged),
        "majority_macro_f1": _macro_f1(labels, majority),
        "f1": figures["f1"],
        "precision": figures["precision"],
        "recall": figures["recall"],
        "roc_auc": figures["roc_auc"],
        "calibration_error": round(calibration_error(labels, probabilities), 4),
    }


def _macro_f1(labels: Bools, flagged: Bools) -> float:
    """Return the mean F1 of the two classes. A class that is neither true nor flagged anywhere is left out."""
    values = [measure_f1(truth, said) for truth, said in ((labels, flagged), (~labels, ~flagged)) if (truth | said).any()]
    return round(float(np.mean(values)), 4)


def measure_f1(labels: Bools, flagged: Bools, weights: Floats | None = None) -> float:
    """Return the F1 of the flags, 0 if it is undefined. All arrays have shape (n,). A text of weight 2 counts like two."""
    counted = np.ones(len(labels), np.int64) if weights is None else weights
    return float(compute_f1(counted[labels & flagged].sum(), counted[labels & ~flagged].sum(), counted[~labels & flagged].sum()))


def compute_f1(hits: Counts, misses: Counts, false_alarms: Counts) -> Floats:
    """Return F1 from counts, or from arrays of counts; 0 where it is undefined."""
    total = 2 * hits + misses + false_alarms
    return np.asarray(2 * hits / np.where(total > 0, total, 1), np.float64)
