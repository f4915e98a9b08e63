"""A night's learning of engine `encoder`: the shipped posterior, updated with the labelled rows of one community.

How much the prior counts, tau, and the threshold are chosen on rows that were not fitted. The gate has the last word: of the
updates it takes the first that makes nothing worse.
"""

import logging
from typing import NamedTuple

import numpy as np

from ...evaluation.metrics import f1_of, measure
from ...evaluation.threshold import choose_threshold
from .engine import LABELS, EncoderEngine
from .shipped import Evaluation

logger = logging.getLogger(__name__)

TOXIC_LOSS = 0.01
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

    The head for `hate` alone is updated: what is no hate may be toxic or not, and hate counts as toxic anyway.

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


def update_toxic(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, evaluation: Evaluation) -> EncoderEngine:
    """Return an engine whose head for `toxic` has learned from rows, the prior counted in full.

    No gate judges that head, so it stays as it is shipped where the update tells toxic from other texts worse than before, by
    more than `TOXIC_LOSS` in ROC AUC on the shipped validation split.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, 384)
    labels : ndarray of bool, shape (n,)
        Whether each is toxic.
    """
    if not len(labels):
        return shipped
    updated = fit(shipped, vectors, labels, tau=1.0, label="toxic")
    validation = evaluation.part("validation")
    known = validation.toxic >= 0
    before, after = (
        measure(validation.toxic[known] == 1, engine.judge_embeddings(validation.vectors[known]).toxic, 0.5)["roc_auc"]
        for engine in (shipped, updated)
    )
    if before - after > TOXIC_LOSS:
        logger.warning("The toxic labels are left out: with them ROC AUC would fall from %.3f to %.3f.", before, after)
        return shipped
    return updated


def fit(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, *, tau: float, label: str = "hate") -> EncoderEngine:
    """Return an engine whose head for `label` is the posterior of the shipped one, counted `tau` times, and of these rows."""
    # Not at the top: it imports scikit-learn, which serving does without.
    from .posterior import BayesianLogisticRegression

    at = LABELS.index(label)
    posterior = BayesianLogisticRegression(shipped.mean[at], shipped.precision[at], tau).fit(vectors, labels)
    mean, precision = shipped.mean.copy(), shipped.precision.copy()
    mean[at], precision[at] = posterior.mean_, posterior.precision_
    return shipped.with_head(mean, precision)


def _out_of_fold(shipped: EncoderEngine, vectors: np.ndarray, labels: np.ndarray, tau: float) -> np.ndarray:
    """Return the probability of each row by a head that was fitted on the other folds."""
    fold = np.arange(len(labels)) % _FOLDS
    probabilities = np.empty(len(labels))
    for at in range(_FOLDS):
        engine = fit(shipped, vectors[fold != at], labels[fold != at], tau=tau)
        probabilities[fold == at] = engine.judge_embeddings(vectors[fold == at]).hate
    return probabilities
