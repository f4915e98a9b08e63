"""Bootstrap intervals of F1."""

import numpy as np

from .metrics import compute_f1, measure_f1

_RESAMPLINGS = 2000


def estimate_f1_interval(labels: np.ndarray, flagged: np.ndarray) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of F1; the same arguments give the same interval."""
    counts = _resampled_counts([labels, flagged])
    low, high = np.percentile(compute_f1(counts[:, 1, 1], counts[:, 1, 0], counts[:, 0, 1]), [2.5, 97.5])
    return float(low), float(high)


def compare_f1(labels: np.ndarray, flagged: np.ndarray, rival: np.ndarray) -> tuple[float, float, tuple[float, float]]:
    """Return the F1 of two classifiers on the same texts and the paired bootstrap 95 % interval of the first less the second.

    Parameters
    ----------
    labels, flagged, rival : ndarray of bool, shape (n,)
        The truth and what each of the two says.
    """
    counts = _resampled_counts([labels, flagged, rival])
    mine = compute_f1(counts[:, 1, 1].sum(-1), counts[:, 1, 0].sum(-1), counts[:, 0, 1].sum(-1))
    other = compute_f1(counts[:, 1, :, 1].sum(-1), counts[:, 1, :, 0].sum(-1), counts[:, 0, :, 1].sum(-1))
    low, high = np.percentile(mine - other, [2.5, 97.5])
    return measure_f1(labels, flagged), measure_f1(labels, rival), (float(low), float(high))


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
