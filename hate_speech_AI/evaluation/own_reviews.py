"""What the reviews of a community say of a candidate, and whether it may forget for that.

The candidate is judged out of fold: each review by a head that was fitted to other texts. The rival is the anchor, which has
learned none of them. So both judge texts that are new to them, and the labels of tonight may decide tonight.

A poisoner's labels agree with each other, so a head that learned some of them judges the rest well. Therefore:

- near copies are in one fold, and count as one text;
- the labels must not contradict the anchor more often than they agree with it, as flipped labels do;
- the labels that were learned before must not be answered worse than by the anchor, whatever the new ones say.

What is gained for that is bounded: the candidate may forget a part of the shipped evaluation set, once for all nights. Each other
condition of the gate still holds.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Places
from ..manifest import OwnReviews
from .metrics import compute_log_loss

# Fewer texts prove nothing. Near copies count once.
_FEWEST = 10
_DEVIATIONS = 1.96  # of the 95 % interval of a mean


class JudgedReviews(NamedTuple):
    """Reviews as candidate and anchor judge them, each array of length n.

    Attributes
    ----------
    labels : ndarray of bool
    candidate, anchor : ndarray of float64
        The probabilities, those of the candidate out of fold.
    copies : ndarray of int
        Near copies share a number.
    is_known : ndarray of bool
        Which labels the active version has learned.
    """

    labels: Bools
    candidate: Floats
    anchor: Floats
    copies: Places
    is_known: Bools


def compare_own_reviews(judged: JudgedReviews) -> OwnReviews:
    """Compare candidate and anchor by their mean log loss on the reviews. A text with near copies counts once."""
    labels, copies = judged.labels, judged.copies
    losses = [compute_log_loss(labels, given) for given in (judged.candidate, judged.anchor)]
    candidate, anchor = (_average_copies(loss, copies) for loss in losses)
    interval = _estimate_interval(candidate - anchor)
    reason = _find_objection(judged, losses[0] - losses[1], interval)
    return {
        "reviews": len(labels),
        "texts": len(candidate),
        "candidate": round(float(candidate.mean()), 4) if len(candidate) else None,
        "anchor": round(float(anchor.mean()), 4) if len(anchor) else None,
        "interval": interval,
        "may_forget": not reason,
        "reason": reason,
    }


def _find_objection(judged: JudgedReviews, differences: Floats, interval: tuple[float, float] | None) -> str:
    """Return why the candidate may not forget; "" if it may. `interval` is that of all differences."""
    labels, copies, known = judged.labels, judged.copies, judged.is_known
    n_hateful = int((_average_copies(labels.astype(float), copies) >= 0.5).sum())
    if interval is None or min(n_hateful, len(np.unique(copies)) - n_hateful) < _FEWEST:
        return f"fewer than {_FEWEST} of the reviewed texts are hateful, or fewer are not; near copies count once"
    if interval[1] >= 0:
        return "the gain may be chance"
    if contradict(labels, judged.anchor, copies):
        return "the reviews contradict what the service knew before more often than they agree with it"
    before = _estimate_interval(_average_copies(differences[known], copies[known]))
    if before is not None and before[0] > 0:
        return "it answers the reviews worse that were learned before"
    return ""


def _average_copies(values: Floats, copies: Places) -> Floats:
    """Return the mean over each text and its near copies: shape (number of different numbers,)."""
    numbers = np.unique(copies, return_inverse=True)[1]
    means: Floats = np.bincount(numbers, values) / np.bincount(numbers)
    return means


def _estimate_interval(differences: Floats) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of paired differences; `None` if they are too few."""
    if len(differences) < _FEWEST:
        return None
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    return float(mean - _DEVIATIONS * error), float(mean + _DEVIATIONS * error)


def contradict(labels: Bools, probabilities: Floats, copies: Places) -> bool:
    """Return whether labels contradict a model more often than they agree with it: whether its ROC AUC on them is below a half.

    There are labels of both values. A text with near copies counts once.
    """
    from sklearn.metrics import roc_auc_score  # not at the top: serving does not need it

    numbers = np.unique(copies, return_inverse=True)[1]
    return bool(roc_auc_score(labels, probabilities, sample_weight=1 / np.bincount(numbers)[numbers]) < 0.5)
