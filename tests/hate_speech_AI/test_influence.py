"""What single rows taught the head: the closed forms against really fitting without the rows."""

import numpy as np
import pytest

from hate_speech_AI.engines.encoder.influence import estimate_pulls, leave_out
from hate_speech_AI.engines.encoder.posterior import BayesianLogisticRegression

WIDTH = 12


def some_rows(count: int, seed: int, shift: float = 0.0):
    random = np.random.default_rng(seed)
    vectors = (random.standard_normal((count, WIDTH)) + shift).astype(np.float32)
    weights = np.linspace(-1, 1.5, WIDTH)
    return vectors, random.random(count) < 1 / (1 + np.exp(-(vectors @ weights - 0.5)))


@pytest.fixture(scope="module")
def prior() -> BayesianLogisticRegression:
    return BayesianLogisticRegression().fit(*some_rows(3000, 0))


def fit(prior, vectors, values, tau):
    """Return mean and precision as a version stores them."""
    head = BayesianLogisticRegression(prior.mean_, prior.precision_, tau).fit(vectors, values)
    return head.mean_, head.precision_.astype(np.float32)


def compute_logits(mean, vectors):
    return vectors @ mean[:-1] + mean[-1]


def whiten(precision):
    return np.linalg.inv(np.linalg.cholesky(precision.astype(float))).astype(np.float32)


@pytest.mark.parametrize("tau", [1.0, 0.1, 0.01])
def test_without_one_row_it_is_the_fit_without_it(prior, tau):
    vectors, values = some_rows(300, 1, shift=0.3)
    values ^= np.random.default_rng(2).random(300) < 0.1  # some say the opposite, and pull hard
    mean, precision = fit(prior, vectors, values, tau)
    asked = some_rows(50, 3)[0]
    for at in range(0, 300, 10):
        others = np.arange(300) != at
        truth, its_precision = fit(prior, vectors[others], values[others], tau)
        left, its_left = leave_out(mean, precision, vectors[[at]], values[[at]])
        change = np.abs(compute_logits(mean, asked) - compute_logits(truth, asked)).max()
        error = np.abs(compute_logits(left, asked) - compute_logits(truth, asked)).max()
        assert error < 0.05 * change + 1e-4
        assert its_left == pytest.approx(its_precision, abs=0.03 * float(its_precision.max()))


def test_without_all_rows_it_is_the_prior(prior):
    rows = some_rows(200, 4, shift=0.5)
    mean, precision = fit(prior, *rows, 0.1)
    left, its_precision = leave_out(mean, precision, *rows)
    assert np.abs(mean - prior.mean_).max() > 0.05
    assert left == pytest.approx(prior.mean_, abs=1e-4)
    assert its_precision == pytest.approx(0.1 * prior.precision_, rel=1e-3, abs=1e-2)


def test_most_of_what_many_rows_taught_goes_at_once(prior):
    """The loss of the others is not quadratic so far away. A training takes out the rest."""
    vectors, values = some_rows(600, 5)
    values[:100] = True  # somebody called everything hateful
    mean, precision = fit(prior, vectors, values, 0.1)
    truth, _ = fit(prior, vectors[100:], values[100:], 0.1)
    left, _ = leave_out(mean, precision, vectors[:100], values[:100])
    assert np.linalg.norm(left - truth) < 0.4 * np.linalg.norm(mean - truth)


def test_rows_that_it_never_learned_cannot_be_left_out(prior):
    vectors, values = some_rows(5000, 6)
    with pytest.raises(np.linalg.LinAlgError):
        leave_out(prior.mean_, prior.precision_.astype(np.float32), vectors, values)


@pytest.mark.parametrize("tau", [1.0, 0.01])
def test_the_effect_of_a_row_is_what_the_logit_loses_without_it(prior, tau):
    vectors, values = some_rows(200, 7, shift=0.3)
    mean, precision = fit(prior, vectors, values, tau)
    asked = some_rows(1, 8)[0]
    point = np.append(asked[0], 1.0)
    pulls = estimate_pulls(mean, whiten(precision), vectors, values)
    effects = pulls * (np.hstack([vectors, np.ones((200, 1))]) @ np.linalg.solve(precision.astype(float), point))
    truth = np.empty(200)
    for at in range(200):
        others = np.arange(200) != at
        truth[at] = point @ (mean - fit(prior, vectors[others], values[others], tau)[0])
    assert effects == pytest.approx(truth, abs=0.1 * np.abs(truth).max())
    assert np.corrcoef(effects, truth)[0, 1] > 0.995
    # A hateful row raises the logit of a text like itself, a harmless one lowers it.
    likeness = np.hstack([vectors, np.ones((200, 1))]) @ np.linalg.solve(precision.astype(float), point)
    assert (np.sign(effects) == np.sign(likeness) * np.where(values, 1, -1)).all()
