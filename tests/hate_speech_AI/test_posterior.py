"""The Bayesian head against what it claims to be."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from hate_speech_AI.engines.encoder.engine import moderated_probability
from hate_speech_AI.engines.encoder.posterior import BayesianLogisticRegression


def some_data(count: int, seed: int, shift: float = 0.0):
    random = np.random.default_rng(seed)
    X = random.standard_normal((count, 5)) + shift
    weights = np.array([1.0, -2.0, 0.5, 0.0, 0.3])
    return X, random.random(count) < 1 / (1 + np.exp(-(X @ weights - 0.5)))


def test_it_works():
    X, y = some_data(2000, 0)
    model = BayesianLogisticRegression().fit(X, y)
    assert (model.predict(X) == y).mean() > 0.8
    assert model.predict_proba(X).shape == (2000, 2)
    assert model.n_steps_ < 10


def test_its_mean_is_that_of_ridge_logistic_regression():
    X, y = some_data(500, 1)
    model = BayesianLogisticRegression(precision=np.diag([2.0] * 5 + [1e-9])).fit(X, y)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(X, y)
    assert model.mean_[:-1] == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert model.mean_[-1] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_with_tau_1_an_update_is_a_refit_on_all_the_data():
    old, new = some_data(4000, 2), some_data(400, 3, shift=0.4)
    posterior = BayesianLogisticRegression().fit(*old)
    updated = BayesianLogisticRegression(posterior.mean_, posterior.precision_, tau=1.0).fit(*new)
    together = BayesianLogisticRegression().fit(np.vstack([old[0], new[0]]), np.concatenate([old[1], new[1]]))
    assert updated.mean_ == pytest.approx(together.mean_, abs=0.02)
    assert updated.precision_ == pytest.approx(together.precision_, rel=0.1, abs=8)
    alone = BayesianLogisticRegression().fit(*new)
    assert np.abs(alone.mean_ - together.mean_).max() > 0.1  # so that the first two are no trifle


def test_partial_fit_goes_on_from_the_posterior():
    first, second = some_data(1000, 4), some_data(1000, 5)
    stepwise = BayesianLogisticRegression().partial_fit(*first).partial_fit(*second)
    at_once = BayesianLogisticRegression().fit(np.vstack([first[0], second[0]]), np.concatenate([first[1], second[1]]))
    assert stepwise.mean_ == pytest.approx(at_once.mean_, abs=0.03)


def test_a_smaller_tau_listens_more_to_the_new_data():
    old, new = some_data(4000, 6), some_data(400, 7)
    posterior = BayesianLogisticRegression().fit(*old)
    flipped = ~new[1]
    right = []
    for tau in (1.0, 0.1, 0.01):
        updated = BayesianLogisticRegression(posterior.mean_, posterior.precision_, tau).fit(new[0], flipped)
        right.append((updated.predict(new[0]) == flipped).mean())
    assert right[0] < right[1] < right[2]


def test_without_rows_the_posterior_is_the_prior():
    posterior = BayesianLogisticRegression().fit(*some_data(300, 8))
    same = BayesianLogisticRegression(posterior.mean_, posterior.precision_).fit(np.empty((0, 5)), np.empty(0, bool))
    assert same.mean_ == pytest.approx(posterior.mean_)
    assert same.precision_ == pytest.approx(posterior.precision_)


def test_weights_count_like_copies():
    X, y = some_data(200, 9)
    weighted = BayesianLogisticRegression().fit(X, y, np.full(200, 3.0))
    copied = BayesianLogisticRegression().fit(np.vstack([X] * 3), np.concatenate([y] * 3))
    assert weighted.mean_ == pytest.approx(copied.mean_, abs=1e-6)


def test_far_from_the_data_it_is_unsure():
    X, y = some_data(300, 10)
    model = BayesianLogisticRegression().fit(X, y)
    near, far = model.uncertainty(np.array([[0.0] * 5, [30.0] * 5]))
    assert far > 5 * near
    certain = 1 / (1 + np.exp(-model.decision_function(np.array([[30.0] * 5]))))
    moderated = model.predict_proba(np.array([[30.0] * 5]))[:, 1]
    assert abs(moderated - 0.5) < abs(certain - 0.5)


@pytest.mark.parametrize(("logit", "deviation"), [(0.0, 1.0), (1.0, 0.5), (-2.0, 2.0), (3.0, 1.0)])
def test_the_moderated_probability_is_the_mean_over_the_posterior(logit, deviation):
    exact, _ = quad(lambda a: norm.pdf(a, logit, deviation) / (1 + np.exp(-a)), -40, 40)
    assert float(moderated_probability(np.array(logit), np.array(deviation))) == pytest.approx(exact, abs=0.01)


def test_it_is_a_scikit_learn_estimator():
    model = BayesianLogisticRegression(tau=0.5)
    assert clone(model).get_params()["tau"] == 0.5
    with pytest.raises(NotFittedError):
        model.predict_proba(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="features"):
        BayesianLogisticRegression().fit(*some_data(50, 11)).predict(np.zeros((1, 4)))


def test_separable_rows_do_not_run_away():
    X = np.array([[-1.0], [1.0]] * 50)
    model = BayesianLogisticRegression().fit(X, X[:, 0] > 0)
    assert np.isfinite(model.mean_).all()
