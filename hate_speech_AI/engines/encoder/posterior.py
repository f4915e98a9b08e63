"""Bayesian logistic regression: the head that learns from a community without forgetting what it knew.

It lives with training and not with serving, which needs none of scikit-learn; `engine.py` answers by its formulas.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from .engine import moderated_probability

_MAX_STEPS = 50
_ROWS_AT_ONCE = 16_384


class BayesianLogisticRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression with a Gaussian prior over the weights and a Gaussian approximation of the posterior.

    `fit` minimises

        sum_i s_i * logloss(y_i, w.x_i) + tau/2 * (w - mean)' precision (w - mean)

    by damped Newton; the posterior's precision is the Hessian there (Laplace's approximation; MacKay 1992, "The Evidence
    Framework Applied to Classification Networks"). With the posterior of one data set as prior and tau = 1, the result is that
    of both data sets together, as far as the approximation holds; with a smaller tau the new data counts more. The weight of a
    constant 1 is the intercept: `fit` appends it.

    Parameters
    ----------
    mean : ndarray of shape (n_features + 1,), optional
        Of the prior, the intercept last; 0 by default.
    precision : ndarray of shape (n_features + 1, n_features + 1), optional
        Of the prior; by default `alpha` times the identity, with a hundredth of that for the intercept.
    tau : float
        The prior strength.
    alpha : float
    tol : float
        Newton's steps end when the next would lower the loss by a smaller share of it than this.

    Attributes
    ----------
    mean_, precision_ : ndarray
        Of the posterior, shaped as the prior's.
    classes_ : ndarray
        [False, True].
    n_steps_ : int
    """

    def __init__(self, mean=None, precision=None, tau=1.0, alpha=1.0, tol=1e-10):
        self.mean, self.precision, self.tau, self.alpha, self.tol = mean, precision, tau, alpha, tol

    def fit(self, X, y, sample_weight=None):
        """Fit from the prior.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
        y : ndarray of bool, shape (n,)
        sample_weight : ndarray of shape (n,), optional
        """
        X, y = self._checked(X, y)
        width = X.shape[1] + 1
        mean = np.zeros(width) if self.mean is None else np.asarray(self.mean, float)
        precision = self.precision
        if precision is None:
            precision = np.diag(np.r_[np.full(width - 1, self.alpha), self.alpha / 100])
        return self._update(X, y, mean, self.tau * np.asarray(precision, float), sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        """Update the posterior with more rows: it is the prior now. The first call is `fit`."""
        if not hasattr(self, "mean_"):
            return self.fit(X, y, sample_weight)
        X, y = self._checked(X, y, reset=False)
        return self._update(X, y, self.mean_, self.precision_, sample_weight)

    def decision_function(self, X):
        """Return the logit at the posterior's mean: shape (n,)."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=float) @ self.mean_[:-1] + self.mean_[-1]

    def predict_proba(self, X):
        """Return the probabilities of both classes, the posterior's variance taken into account: shape (n, 2)."""
        logits, deviation = self.decision_function(X), self.uncertainty(X)
        positive = moderated_probability(logits, deviation)
        return np.column_stack([1 - positive, positive])

    def predict(self, X):
        """Return whether the logit at the posterior's mean is above 0: bool, shape (n,)."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def uncertainty(self, X):
        """Return the standard deviation of the logit under the posterior: shape (n,)."""
        check_is_fitted(self)
        extended = _with_constant(validate_data(self, X, reset=False, dtype=float))
        return np.sqrt(np.einsum("ij,ij->i", extended, np.linalg.solve(self.precision_, extended.T).T))

    def _checked(self, X, y, *, reset=True):
        if len(X) == 0:  # nothing new: the posterior is the prior
            X, y = np.asarray(X, float), np.asarray(y, bool)
            if reset:
                self.n_features_in_ = X.shape[1]
        else:
            X, y = check_X_y(X, y, dtype=[np.float64, np.float32])
            if reset:
                self.n_features_in_ = X.shape[1]
        self.classes_ = np.array([False, True])
        return X, np.asarray(y, float)

    def _update(self, X, y, mean, precision, sample_weight):
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        at = mean.copy()
        loss, gradient, hessian = _loss(X, y, weights, at, mean, precision, curvature=True)
        self.n_steps_ = 0
        while self.n_steps_ < _MAX_STEPS:
            step = np.linalg.solve(hessian, gradient)
            promised = gradient @ step
            if promised < self.tol * max(1.0, abs(loss)):
                break
            length = 1.0
            # Damped: a full step may overshoot far from the minimum (Armijo's rule).
            while _loss(X, y, weights, at - length * step, mean, precision)[0] > loss - 1e-4 * length * promised:
                length /= 2
                if length < 1e-6:
                    break
            at = at - length * step
            loss, gradient, hessian = _loss(X, y, weights, at, mean, precision, curvature=True)
            self.n_steps_ += 1
        self.mean_, self.precision_ = at, hessian
        return self


def _with_constant(X: np.ndarray) -> np.ndarray:
    return np.hstack([X, np.ones((len(X), 1), X.dtype)])


def _loss(X, y, weights, at, mean, precision, *, curvature=False):
    """Return the loss, and with `curvature` its gradient and Hessian; in blocks, so that no copy of X is made."""
    away = at - mean
    pull = precision @ away
    loss, gradient, hessian = away @ pull / 2, pull, precision.copy() if curvature else None
    for start in range(0, len(X), _ROWS_AT_ONCE):
        block = _with_constant(np.asarray(X[start : start + _ROWS_AT_ONCE], float))
        labels, counts = y[start : start + _ROWS_AT_ONCE], weights[start : start + _ROWS_AT_ONCE]
        logits = block @ at
        loss += counts @ (np.logaddexp(0, logits) - labels * logits)
        if curvature:
            p = 0.5 + 0.5 * np.tanh(logits / 2)
            gradient = gradient + block.T @ (counts * (p - labels))
            hessian += (block * (counts * p * (1 - p))[:, None]).T @ block
    return loss, gradient, hessian
