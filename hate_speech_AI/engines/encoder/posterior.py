"""Bayesian logistic regression: the head learns from a community and keeps what the shipped head knows.

Only trainings import this module, since it needs scikit-learn. `engine.py` has the formulas for serving.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from ...arrays import Bools, Float32s, Floats
from .engine import moderated_probability
from .influence import append_constant

Features = Floats | Float32s

_MAX_STEPS = 50
_ROWS_AT_ONCE = 16_384


class BayesianLogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression with a Gaussian prior over the weights, and a Gaussian approximation of their posterior.

    `fit` minimises

        sum_i s_i * logloss(y_i, w.x_i) + tau/2 * (w - mean)' precision (w - mean)

    by damped Newton steps. The precision of the posterior is the Hessian at the minimum. This is Laplace's approximation (MacKay
    1992, "The Evidence Framework Applied to Classification Networks").

    If the prior is the posterior of another data set and tau is 1, the result approximates a fit on both data sets together. With
    a smaller tau the new data counts more. The intercept is the weight of a constant 1, which `fit` appends to the features.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_features + 1,), optional
        Mean of the prior, the intercept last. The default is 0.
    precision : ndarray of float, shape (n_features + 1, n_features + 1), optional
        Precision of the prior. The default is `alpha` times the identity, and a hundredth of that for the intercept.
    tau : float
        Prior strength.
    alpha : float
        Scale of the default precision.
    tol : float
        Stop when the next step would lower the loss by less than this share of it.

    Attributes
    ----------
    mean_ : ndarray of float64, shape (n_features + 1,)
        Mean of the posterior.
    precision_ : ndarray of float64, shape (n_features + 1, n_features + 1)
        Precision of the posterior.
    classes_ : ndarray of bool
        [False, True].
    n_steps_ : int
        The number of Newton steps of the last fit.
    """

    mean_: Floats
    precision_: Floats

    def __init__(
        self,
        mean: Floats | None = None,
        precision: Features | None = None,
        tau: float = 1.0,
        alpha: float = 1.0,
        tol: float = 1e-10,
    ):
        self.mean, self.precision, self.tau, self.alpha, self.tol = mean, precision, tau, alpha, tol

    def fit(self, X: Features, y: Bools, sample_weight: Floats | None = None) -> Self:
        """Fit to rows, from the prior.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_features)
        y : ndarray of bool, shape (n,)
        sample_weight : ndarray of float64, shape (n,), optional
            A row of weight 2 counts like two rows.
        """
        X, labels = self._check_rows(X, y)
        width = X.shape[1] + 1
        mean = np.zeros(width) if self.mean is None else np.asarray(self.mean, float)
        precision = self.precision
        if precision is None:
            precision = np.diag(np.r_[np.full(width - 1, self.alpha), self.alpha / 100])
        return self._minimise(X, labels, mean, self.tau * np.asarray(precision, float), sample_weight)

    def partial_fit(self, X: Features, y: Bools, sample_weight: Floats | None = None) -> Self:
        """Fit to more rows, with the posterior so far as prior. The first call does the same as `fit`."""
        if not hasattr(self, "mean_"):
            return self.fit(X, y, sample_weight)
        X, labels = self._check_rows(X, y, reset=False)
        return self._minimise(X, labels, self.mean_, self.precision_, sample_weight)

    def decision_function(self, X: Features) -> Floats:
        """Return the logit at the mean of the posterior: shape (n,)."""
        check_is_fitted(self)
        logits: Floats = validate_data(self, X, reset=False, dtype=float) @ self.mean_[:-1] + self.mean_[-1]
        return logits

    def predict_proba(self, X: Features) -> Floats:
        """Return the probabilities of both classes, averaged over the posterior: shape (n, 2)."""
        positive = moderated_probability(self.decision_function(X), self.uncertainty(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Features) -> Bools:
        """Return whether the logit at the mean of the posterior is above 0: shape (n,)."""
        is_positive: Bools = self.decision_function(X) > 0
        return is_positive

    def uncertainty(self, X: Features) -> Floats:
        """Return the standard deviation of the logit under the posterior: shape (n,)."""
        check_is_fitted(self)
        extended = append_constant(validate_data(self, X, reset=False, dtype=float))
        variances: Floats = np.einsum("ij,ij->i", extended, np.linalg.solve(self.precision_, extended.T).T)
        return np.sqrt(variances)

    def _check_rows(self, X: Features, y: Bools, *, reset: bool = True) -> tuple[Features, Floats]:
        """Return checked features, and labels as 0 and 1."""
        if len(X) == 0:  # scikit-learn refuses that; without rows the posterior is the prior
            X = np.asarray(X, float)
        else:
            X, y = check_X_y(X, y, dtype=[np.float64, np.float32])
        if reset:
            self.n_features_in_ = X.shape[1]
        self.classes_ = np.array([False, True])
        return X, np.asarray(y, float)

    def _minimise(self, X: Features, labels: Floats, mean: Floats, precision: Floats, sample_weight: Floats | None) -> Self:
        """Minimise the loss from the mean of the prior, and keep the posterior."""
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        rows = _Rows(X, labels, weights)
        at = mean.copy()
        loss, gradient, hessian = _differentiate_loss(rows, at, mean, precision)
        self.n_steps_ = 0
        while self.n_steps_ < _MAX_STEPS:
            step = np.linalg.solve(hessian, gradient)
            decrement = gradient @ step
            if decrement < self.tol * max(1.0, abs(loss)):
                break
            length = 1.0
            # Far from the minimum a full step may overshoot. So halve it until the loss falls enough (Armijo's rule).
            while _compute_loss(rows, at - length * step, mean, precision) > loss - 1e-4 * length * decrement:
                length /= 2
                if length < 1e-6:
                    break
            at = at - length * step
            loss, gradient, hessian = _differentiate_loss(rows, at, mean, precision)
            self.n_steps_ += 1
        self.mean_, self.precision_ = at, hessian
        return self


class _Rows(NamedTuple):
    """Rows to fit: features, labels (0 or 1) and weights."""

    X: Features
    labels: Floats
    weights: Floats

    def blocks(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Yield the rows in blocks, with the constant appended in float64. So no copy of all rows is made."""
        for start in range(0, len(self.X), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            yield append_constant(np.asarray(self.X[some], float)), self.labels[some], self.weights[some]


def _compute_loss(rows: _Rows, at: Floats, mean: Floats, precision: Floats) -> float:
    away = at - mean
    loss = float(away @ (precision @ away)) / 2
    for block, labels, weights in rows.blocks():
        logits = block @ at
        loss += float(weights @ (np.logaddexp(0, logits) - labels * logits))
    return loss


def _differentiate_loss(rows: _Rows, at: Floats, mean: Floats, precision: Floats) -> tuple[float, Floats, Floats]:
    """Return the loss, its gradient and its Hessian."""
    away = at - mean
    gradient, hessian = precision @ away, precision.copy()
    loss = float(away @ gradient) / 2
    for block, labels, weights in rows.blocks():
        logits = block @ at
        loss += float(weights @ (np.logaddexp(0, logits) - labels * logits))
        p = 0.5 + 0.5 * np.tanh(logits / 2)
        gradient = gradient + block.T @ (weights * (p - labels))
        hessian += (block * (weights * p * (1 - p))[:, None]).T @ block
    return loss, gradient, hessian
