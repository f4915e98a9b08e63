"""What single rows taught a head: the head without some of them, and what each adds to the logit of a text.

Both are closed forms around the posterior, and need no other row than those they are about. Its precision H is the Hessian of the
loss at the mean w, where the gradient is 0. So one Newton step from there leads to the fit without some rows (Pregibon 1981,
"Logistic Regression Diagnostics"): their gradients are missing, and so is their part of the Hessian.
"""

import numpy as np

from ...arrays import Bools, Float32s, Floats


def leave_out(mean: Floats, precision: Float32s, vectors: Float32s, values: Bools) -> tuple[Floats, Float32s]:
    """Return the posterior without rows, after one Newton step.

    The step is exact as far as the loss of the other rows is quadratic. For one row of 300 the logits come within 0.1 % (tau 1)
    to 3 % (tau 0.01) of the change that a new fit without the row makes. For many rows that said the opposite of all others, a
    third of the change may remain.

    Parameters
    ----------
    mean : ndarray of float64, shape (width + 1,)
        Mean of the posterior, the intercept last.
    precision : ndarray of float32, shape (width + 1, width + 1)
    vectors : ndarray of float32, shape (n, width)
        Embeddings of rows that the posterior was fitted to.
    values : ndarray of bool, shape (n,)
        Their labels.

    Raises
    ------
    LinAlgError
        What is left is no posterior: the rows are not those that it was fitted to.
    """
    extended = append_constant(vectors)
    p = _compute_probabilities(mean, extended)
    left = precision - (extended * (p * (1 - p))[:, None]).T @ extended
    np.linalg.cholesky(left)  # raises unless it is positive definite
    return mean + np.linalg.solve(left, extended.T @ (p - values)), left.astype(np.float32)


def estimate_pulls(mean: Floats, whitening: Float32s, vectors: Float32s, values: Bools) -> Floats:
    """Return how strongly each row pulls: its effect on the logit of a text x is its pull times row' H^-1 x.

    The effect is the logit less that of the posterior without the row, after one Newton step. With h = p (1 - p) of the row, and
    the formula by Sherman and Morrison for the inverse of H less h row row', it is (y - p) row' H^-1 x / (1 - h row' H^-1 row).

    Parameters
    ----------
    whitening : ndarray of float32, shape (width + 1, width + 1)
        The inverse of the lower Cholesky factor of H.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    extended = append_constant(vectors)
    p = _compute_probabilities(mean, extended)
    leverage = p * (1 - p) * np.square(extended.astype(np.float32) @ whitening.T).sum(1, dtype=float)
    # Less than 1 for every row that the posterior was fitted to; float32 may round it up.
    pulls: Floats = (values - p) / np.maximum(1 - leverage, 1e-3)
    return pulls


def append_constant(vectors: Float32s | Floats) -> Floats:
    """Return embeddings with a constant 1 at the end, which the intercept is the weight of: shape (n, width + 1)."""
    return np.hstack([vectors, np.ones((len(vectors), 1))])


def _compute_probabilities(mean: Floats, extended: Floats) -> Floats:
    probabilities: Floats = 0.5 + 0.5 * np.tanh(extended @ mean / 2)
    return probabilities
