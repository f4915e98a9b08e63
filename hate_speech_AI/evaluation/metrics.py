"""How good a classifier is on labelled texts."""

import numpy as np


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error (Naeini et al. 2015), from 0 to 1.

    It is the mean distance between the share of hateful texts and the probability given, over ten bins of equal width.

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
    """Return figures on labelled texts, for all and by group, each beside the majority baseline.

    The baseline always gives the more frequent label.

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
    values = [measure_f1(truth, said) for truth, said in ((labels, flagged), (~labels, ~flagged)) if (truth | said).any()]
    return round(float(np.mean(values)), 4)


def measure_f1(labels: np.ndarray, flagged: np.ndarray) -> float:
    """Return F1 of what is flagged, 0 where it does not exist; both bool, shape (n,)."""
    return float(compute_f1((labels & flagged).sum(), (labels & ~flagged).sum(), (~labels & flagged).sum()))


def compute_f1(hits, misses, false_alarms):
    """Return F1, 0 where it does not exist; numbers or arrays."""
    return 2 * hits / np.maximum(2 * hits + misses + false_alarms, 1)
