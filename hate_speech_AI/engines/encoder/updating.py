"""How the encoder's head learns: the shipped posterior is the prior, and a community's labelled rows update it.

The prior strength tau and the threshold are chosen on rows that were not fitted. The gate has the last word: it takes the first
update that makes nothing worse.
"""

import logging
from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from ...evaluation.metrics import measure, measure_f1
from ...evaluation.threshold import choose_threshold
from ...labels import PRIMARY
from ...training.progress import Progress
from ...training.rows import Row, Split, list_values
from ..base import Fitted
from ..evaluation_set import EvaluationSet
from .engine import EncoderEngine, pick_windows

logger = logging.getLogger(__name__)

# How much ROC AUC a label may lose that no gate judges.
LABEL_LOSS = 0.01
# The prior strengths to try: 1 counts the shipped posterior in full.
TAUS = (1.0, 0.3, 0.1, 0.03, 0.01)

_BATCH = 512  # texts embedded at once
_FOLDS = 5
_FOLDED_ROWS = 20_000  # of more, the first: in the order of fingerprints, as good as drawn by lot
# With fewer rows there is nothing to choose by: the prior counts in full, and the shipped threshold stays.
_FEWEST_ROWS, _FEWEST_OF_EACH = 100, 20


class Update(NamedTuple):
    """A head that learned, and how it was chosen.

    Attributes
    ----------
    engine : EncoderEngine
    tau : float
        The prior strength.
    threshold : float
    f1 : float or None
        On the rows, each judged by a head that was not fitted on it; `None` where there were too few.
    """

    engine: EncoderEngine
    tau: float
    threshold: float
    f1: float | None


def fit_candidates(shipped: EncoderEngine, split: Split, evaluation: EvaluationSet) -> Generator[Progress, None, list[Fitted]]:
    """Embed the rows of a split, yielding progress, and return the updates of the shipped engine, the best first.

    1. Update the head of each other label, of which the split has rows, with its full prior.
    2. Update the head of the primary label with each prior strength.
    """
    vectors, values = yield from _embed(shipped, split.list_learnable(PRIMARY), 0)
    count = len(values)
    engine = shipped
    for label in shipped.labels:
        rows = split.list_learnable(label)
        if label != PRIMARY and rows:
            more, said = yield from _embed(shipped, rows, count)
            count += len(said)
            engine = update_label(engine, label, more, said, evaluation)
    yield Progress("fitting", split.n_rows)
    updates = update_primary(engine, vectors, values, evaluation)
    return [Fitted(one.engine, one.threshold, {"tau": one.tau, "out_of_fold_f1": one.f1}) for one in updates]


def _embed(engine: EncoderEngine, rows: list[Row], before: int) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    """Return the embeddings of rows, of a long text that of the window that `judge` picks, and their values (bool).

    `before` is how many rows were embedded earlier, for the progress.
    """
    vectors = [np.empty((0, engine.mean.shape[1] - 1), np.float32)]
    for at in range(0, len(rows), _BATCH):
        found, starts = engine.encoder.embed([row.text for row in rows[at : at + _BATCH]])
        vectors.append(found[pick_windows(engine.judge_embeddings(found)[PRIMARY], starts)])
        yield Progress("reading", before + min(at + _BATCH, len(rows)))
    return np.concatenate(vectors), list_values(rows)


def update_primary(shipped: EncoderEngine, vectors: np.ndarray, values: np.ndarray, evaluation: EvaluationSet) -> list[Update]:
    """Return an update of the primary label's head for each tau, that with the highest F1 first.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, width)
    values : ndarray of bool, shape (n,)
        Which rows carry the label.
    evaluation : EvaluationSet
        The threshold is chosen on its validation split, together with the rows.
    """
    validation = evaluation.select_split("validation")
    positive = int(values.sum())
    if len(values) < _FEWEST_ROWS or min(positive, len(values) - positive) < _FEWEST_OF_EACH:
        engine = fit_label(shipped, vectors, values, tau=1.0)
        threshold = choose_threshold(validation.truth(), shipped.judge_evaluation_set(validation)[PRIMARY])
        return [Update(engine, 1.0, threshold, None)]
    some, said = vectors[:_FOLDED_ROWS], values[:_FOLDED_ROWS]
    updates = []
    for tau in TAUS:
        engine = fit_label(shipped, vectors, values, tau=tau)
        probabilities = _judge_out_of_fold(shipped, some, said, tau)
        everything = np.concatenate([probabilities, engine.judge_evaluation_set(validation)[PRIMARY]])
        threshold = choose_threshold(np.concatenate([said, validation.truth()]), everything)
        updates.append(Update(engine, tau, threshold, measure_f1(said, probabilities >= threshold)))
    # Of equals the one that keeps most of the prior.
    return sorted(updates, key=lambda one: (-round(one.f1 or 0.0, 4), -one.tau))


def update_label(
    shipped: EncoderEngine, label: str, vectors: np.ndarray, values: np.ndarray, evaluation: EvaluationSet
) -> EncoderEngine:
    """Return an engine whose head of one label has learned from rows, with the full prior.

    No gate judges that head. So it stays as it is shipped if the update loses more than `LABEL_LOSS` of ROC AUC on the shipped
    validation split, or if that split says nothing of the label.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, width)
    values : ndarray of bool, shape (n,)
        Which rows carry the label.
    """
    if not len(values):
        return shipped
    updated = fit_label(shipped, vectors, values, tau=1.0, label=label)
    known = evaluation.select_split("validation").select_known(label)
    before, after = (
        measure(known.truth(label), engine.judge_evaluation_set(known)[label], 0.5)["roc_auc"] if len(known.keys) else None
        for engine in (shipped, updated)
    )
    if before is None or after is None:
        logger.warning("The labels %r are left out: nothing that is shipped says whether they do harm.", label)
        return shipped
    if before - after > LABEL_LOSS:
        logger.warning("The labels %r are left out: with them ROC AUC would fall from %.3f to %.3f.", label, before, after)
        return shipped
    return updated


def fit_label(
    shipped: EncoderEngine, vectors: np.ndarray, values: np.ndarray, *, tau: float, label: str = PRIMARY
) -> EncoderEngine:
    """Return an engine whose head of one label is the posterior of these rows, with the shipped head as prior of strength tau."""
    # Not at the top: it imports scikit-learn, which serving does without.
    from .posterior import BayesianLogisticRegression

    at = shipped.labels.index(label)
    posterior = BayesianLogisticRegression(shipped.mean[at], shipped.precision[at], tau).fit(vectors, values)
    mean, precision = shipped.mean.copy(), shipped.precision.copy()
    mean[at], precision[at] = posterior.mean_, posterior.precision_
    return shipped.with_head(mean, precision)


def _judge_out_of_fold(shipped: EncoderEngine, vectors: np.ndarray, values: np.ndarray, tau: float) -> np.ndarray:
    """Return the probability of each row by a head that was fitted on the other folds."""
    fold = np.arange(len(values)) % _FOLDS
    probabilities = np.empty(len(values))
    for at in range(_FOLDS):
        engine = fit_label(shipped, vectors[fold != at], values[fold != at], tau=tau)
        probabilities[fold == at] = engine.judge_embeddings(vectors[fold == at])[PRIMARY]
    return probabilities
