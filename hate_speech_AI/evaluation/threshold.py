"""Choose the threshold of a version."""

import numpy as np

from ..arrays import Bools, Floats

# Every log-odds is blurred by this much. Otherwise the threshold would overfit to the few hateful texts on which it is chosen.
# Values from 0.05 to 0.4 gave scores within half a point of each other.
_BLUR = 0.25
_LOG_ODDS = np.linspace(-5, 5, 401)
# Log-odds are counted in bins as wide as the steps above, and beyond these ends with those at the end.
_BINS = np.linspace(-8, 8, 641)
# F1 hardly changes around its best, so on one sample the best threshold jumps when a few labels come. The mean of the best ones
# of many resamplings (bagging, Breiman 1996) moves a third as much.
_RESAMPLINGS = 200


def choose_threshold(labels: Bools, probabilities: Floats, weights: Floats | None = None) -> float:
    """Return the threshold in (0, 1) with the best blurred F1 of the hate class; 0.5 if all labels are equal.

    Its log-odds are the mean of the best ones of many bootstrap samples. The same arguments give the same threshold.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
    probabilities : ndarray of float64, shape (n,)
    weights : ndarray of float64, shape (n,), optional
        A text of weight 2 counts like two.
    """
    if len(set(labels.tolist())) < 2:
        return 0.5
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    log_odds = np.log(clipped / (1 - clipped))
    bins = np.clip(np.rint((log_odds - _BINS[0]) / (_BINS[1] - _BINS[0])), 0, len(_BINS) - 1).astype(np.intp)
    counts = np.bincount(bins + len(_BINS) * labels, weights, 2 * len(_BINS))
    draws = np.random.default_rng(0).multinomial(max(round(counts.sum()), 1), counts / counts.sum(), _RESAMPLINGS)
    harmless, hateful = draws.reshape(_RESAMPLINGS, 2, -1).swapaxes(0, 1).astype(float)
    is_usable = hateful.any(1)  # of few texts, some samples have no hateful one
    harmless, hateful = harmless[is_usable], hateful[is_usable]
    flagged = 0.5 + 0.5 * np.tanh((_BINS[:, None] - _LOG_ODDS) / (2 * _BLUR))
    n_right = hateful @ flagged
    f1 = 2 * n_right / (n_right + harmless @ flagged + hateful.sum(1, keepdims=True))
    return float(1 / (1 + np.exp(-_LOG_ODDS[f1.argmax(1)].mean())))
