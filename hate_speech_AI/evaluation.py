"""How good a classifier is on labelled texts: the threshold, the figures of `/score`, and the table by source."""

import numpy as np

# A threshold is judged with every log-odds blurred by this much, so that it does not follow the accidents of the few
# hateful texts it is chosen on. Values from 0.05 to 0.4 came out within half a point of each other.
_BLUR = 0.25
_LOG_ODDS = np.linspace(-5, 5, 401)


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
