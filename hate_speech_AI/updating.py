"""A night's learning of engine `encoder`: the shipped posterior, updated with the labelled rows of one community.

How much the prior counts, tau, and the threshold are chosen on rows that were not fitted. The gate has the last word: of the
updates it takes the first that makes nothing worse.
"""

from typing import NamedTuple

import numpy as np

from .engines.encoder import EncoderEngine
from .evaluation import choose_threshold, f1_of
from .shipped import Evaluation

TAUS = (1.0, 0.3, 0.1, 0.03, 0.01)

_FOLDS = 5
_FOLDED_ROWS = 20_000  # of more, the first: in the order of fingerprints, as good as drawn by lot
# With fewer rows there is nothing to choose by: the prior counts in full, and the shipped threshold stays.
_FEWEST_ROWS, _FEWEST_OF_EACH = 100, 20


class Update(NamedTuple):
    """A head that learned, and how it was chosen.

    Attributes
    ----------
    f1 : float or None
        On the rows, each judged by a head that was not fitted on it; `None` where there were too few.
    """

    engine: EncoderEngine
    tau: float
    threshold: float
    f1: float | None


def update(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, evaluation: Evaluation) -> list[Update]:
    """Return the updates for the values of tau, that with the highest F1 first.

    Only `hate` is updated. A review says nothing of what is toxic but not hate; and hate counts as toxic anyway.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, 384)
    labels : ndarray of bool, shape (n,)
        Whether each is hate.
    evaluation : Evaluation
        On whose validation split the threshold is chosen, together with the rows.
    """
    validation = evaluation.part("validation")
    hateful = int(labels.sum())
    if len(labels) < _FEWEST_ROWS or min(hateful, len(labels) - hateful) < _FEWEST_OF_EACH:
        engine = fit(shipped, vectors, labels, tau=1.0)
        threshold = choose_threshold(validation.hate, shipped.judge_embeddings(validation.vectors).hate)
        return [Update(engine, 1.0, threshold, None)]
    some, said = vectors[:_FOLDED_ROWS], labels[:_FOLDED_ROWS]
    updates = []
    for tau in TAUS:
        engine = fit(shipped, vectors, labels, tau=tau)
        probabilities = _out_of_fold(shipped, some, said, tau)
        everything = np.concatenate([probabilities, engine.judge_embeddings(validation.vectors).hate])
        threshold = choose_threshold(np.concatenate([said, validation.hate]), everything)
        updates.append(Update(engine, tau, threshold, f1_of(said, probabilities >= threshold)))
    # Of equals the one that keeps most of the prior.
    return sorted(updates, key=lambda one: (-round(one.f1, 4), -one.tau))


def fit(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, *, tau: float) -> EncoderEngine:
    """Return an engine whose head for `hate` is the posterior of the shipped one, counted `tau` times, and of these rows."""
    # Not at the top: it imports scikit-learn, which serving does without.
    from .bayesian import BayesianLogisticRegression

    posterior = BayesianLogisticRegression(shipped.mean[0], shipped.precision[0], tau).fit(vectors, labels)
    mean, precision = shipped.mean.copy(), shipped.precision.copy()
    mean[0], precision[0] = posterior.mean_, posterior.precision_
    return shipped.with_head(mean, precision)


def _out_of_fold(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, tau: float) -> np.ndarray:
    """Return the probability of each row by a head that was fitted on the other folds."""
    fold = np.arange(len(labels)) % _FOLDS
    probabilities = np.empty(len(labels))
    for at in range(_FOLDS):
        engine = fit(shipped, vectors[fold != at], labels[fold != at], tau=tau)
        probabilities[fold == at] = engine.judge_embeddings(vectors[fold == at]).hate
    return probabilities
