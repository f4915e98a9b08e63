"""Choose the threshold of a version."""

import numpy as np

from ..arrays import Bools, Floats

# Every log-odds is blurred by this much. Otherwise the threshold would overfit to the few hateful texts on which it is chosen.
# Values from 0.05 to 0.4 gave scores within half a point of each other.
_BLUR = 0.25
_LOG_ODDS = np.linspace(-5, 5, 401)


def choose_threshold(labels: Bools, probabilities: Floats) -> float:
    """Return the threshold in (0, 1) with the best blurred F1 of the hate class; 0.5 if all labels are equal.

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
