"""Bootstrap intervals of F1."""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bools
from .metrics import compute_f1, measure_f1

_RESAMPLINGS = 2000


def estimate_f1_interval(labels: Bools, flagged: Bools) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of F1. The same arguments give the same interval."""
    counts = _resample_counts([labels, flagged])
    low, high = np.percentile(compute_f1(counts[:, 1, 1], counts[:, 1, 0], counts[:, 0, 1]), [2.5, 97.5])
    return float(low), float(high)


def compare_f1(labels: Bools, flagged: Bools, rival: Bools) -> tuple[float, float, tuple[float, float]]:
    """Compare two classifiers on the same texts.

    Parameters
    ----------
    labels : ndarray of bool, shape (n,)
        The true labels.
    flagged, rival : ndarray of bool, shape (n,)
        What each classifier flags.

    Returns
    -------
    tuple
        F1 of the first, F1 of the second, and the paired bootstrap 95 % interval of the first less the second.
    """
    counts = _resample_counts([labels, flagged, rival])
    mine = compute_f1(counts[:, 1, 1].sum(-1), counts[:, 1, 0].sum(-1), counts[:, 0, 1].sum(-1))
    other = compute_f1(counts[:, 1, :, 1].sum(-1), counts[:, 1, :, 0].sum(-1), counts[:, 0, :, 1].sum(-1))
    low, high = np.percentile(mine - other, [2.5, 97.5])
    return measure_f1(labels, flagged), measure_f1(labels, rival), (float(low), float(high))


def _resample_counts(columns: list[Bools]) -> NDArray[np.int64]:
    """Resample the rows of the columns many times, and count each combination of values in each resampling.

    To draw n rows with replacement and count them is one multinomial draw over the combinations. So the time does not grow with
    the number of texts.

    Returns
    -------
    ndarray of int, shape (resamplings, 2, ..., 2)
    """
    n = len(columns[0])
    cells = np.zeros(n, np.int64)
    for column in columns:
        cells = 2 * cells + column
    counts = np.bincount(cells, minlength=2 ** len(columns))
    draws = (
        np.random.default_rng(0).multinomial(n, counts / max(n, 1), _RESAMPLINGS) if n else np.zeros((1, len(counts)), np.int64)
    )
    return draws.reshape(-1, *[2] * len(columns))
