"""How the head of the encoder learns: the prior is the shipped posterior, and the labelled rows of a community update it.

The prior strength tau and the threshold are chosen out of fold. Then the gate takes the first update that makes nothing worse.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...arrays import Bools, Float32s, Floats
from ...errors import ForgettingError
from ...evaluation.metrics import measure, measure_f1
from ...evaluation.threshold import choose_threshold
from ...labels import PRIMARY, list_teachers
from ...text import fingerprint
from ...training.progress import Progress, Steps
from ...training.rows import Row, Split, list_values
from ..base import Fitted
from ..evaluation_set import EvaluationSet
from .engine import EncoderEngine
from .influence import leave_out

logger = logging.getLogger(__name__)

# How much ROC AUC a label may lose if the gate does not judge it.
LABEL_LOSS = 0.01
# The prior strengths to try. With 1 the shipped posterior counts in full.
TAUS = (1.0, 0.3, 0.1, 0.03, 0.01)

_BATCH = 512  # texts embedded at once
_FOLDS = 5
# At most so many rows are judged out of fold. They come in the order of fingerprints, so the first are a random sample.
_FOLDED_ROWS = 20_000
# With fewer rows tau is not chosen: the prior counts in full, and the shipped validation split alone sets the threshold.
_FEWEST_ROWS, _FEWEST_OF_EACH = 100, 20


class Update(NamedTuple):
    """An updated head, and how it was chosen.

    Attributes
    ----------
    engine : EncoderEngine
    tau : float
        The prior strength.
    threshold : float
    f1 : float or None
        F1 on the rows, each judged by a head that was not fitted to it; `None` with too few rows.
    """

    engine: EncoderEngine
    tau: float
    threshold: float
    f1: float | None


def fit_candidates(shipped: EncoderEngine, split: Split, evaluation: EvaluationSet) -> Steps[list[Fitted]]:
    """Embed the rows of a split, and return the updates of the shipped engine, the best first.

    1. Update the head of each other label that the split teaches, at prior strength 1.
    2. Update the head of the primary label at each prior strength.
    """
    vectors, values = yield from _embed(shipped, split.list_learnable(PRIMARY), 0)
    count = len(values)
    engine = shipped
    for label in shipped.labels:
        rows = _list_lessons(split, label) if label != PRIMARY else []
        if rows:
            more, said = yield from _embed(shipped, rows, count)
            count += len(said)
            engine = update_label(engine, label, more, said, evaluation)
    yield Progress("fitting", split.n_rows)
    updates = update_primary(engine, vectors, values, evaluation)
    return [Fitted(one.engine, one.threshold, {"tau": one.tau, "out_of_fold_f1": one.f1}) for one in updates]


def _list_lessons(split: Split, label: str) -> list[Row]:
    """Return the rows that teach a label: its own, and those of other texts with a label from which it follows."""
    lessons = [row for teacher in list_teachers(label) for row in split.list_learnable(teacher) if row.value]
    # A later row of a text replaces an earlier one.
    return list({fingerprint(row.text): row for row in lessons + split.list_learnable(label)}.values())


def _embed(engine: EncoderEngine, rows: list[Row], before: int) -> Steps[tuple[Float32s, Bools]]:
    """Return one embedding for each row, and the values of the rows.

    `before` is the number of rows that were embedded earlier, for the progress.
    """
    vectors = [np.empty((0, engine.mean.shape[1] - 1), np.float32)]
    for at in range(0, len(rows), _BATCH):
        vectors.append(engine.embed([row.text for row in rows[at : at + _BATCH]]))
        yield Progress("reading", before + min(at + _BATCH, len(rows)))
    return np.concatenate(vectors), list_values(rows)


def update_primary(shipped: EncoderEngine, vectors: Float32s, values: Bools, evaluation: EvaluationSet) -> list[Update]:
    """Return an update of the primary label's head for each tau, the one with the highest F1 first.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, width)
    values : ndarray of bool, shape (n,)
        Which rows carry the label.
    evaluation : EvaluationSet
        The threshold is chosen on its validation split and on the rows.
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
        with_validation = np.concatenate([probabilities, engine.judge_evaluation_set(validation)[PRIMARY]])
        threshold = choose_threshold(np.concatenate([said, validation.truth()]), with_validation)
        updates.append(Update(engine, tau, threshold, measure_f1(said, probabilities >= threshold)))
    # Among equals, prefer the strongest prior.
    return sorted(updates, key=lambda one: (-round(one.f1 or 0.0, 4), -one.tau))


def update_label(
    shipped: EncoderEngine, label: str, vectors: Float32s, values: Bools, evaluation: EvaluationSet
) -> EncoderEngine:
    """Return an engine whose head of one label is updated at prior strength 1.

    The gate does not judge this head. So the shipped head stays if the update loses more than `LABEL_LOSS` of ROC AUC on the
    shipped validation split, or if no text of that split is labelled.

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


def fit_label(shipped: EncoderEngine, vectors: Float32s, values: Bools, *, tau: float, label: str = PRIMARY) -> EncoderEngine:
    """Return an engine whose head of one label is fitted to rows. The prior is the shipped head, with strength tau."""
    # Not at the top: it imports scikit-learn, which serving does not need.
    from .posterior import BayesianLogisticRegression

    at = shipped.labels.index(label)
    posterior = BayesianLogisticRegression(shipped.mean[at], shipped.precision[at], tau).fit(vectors, values)
    mean, precision = shipped.mean.copy(), shipped.precision.copy()
    mean[at], precision[at] = posterior.mean_, posterior.precision_
    return shipped.with_head(mean, precision)


def forget_rows(engine: EncoderEngine, shipped: EncoderEngine, lessons: Mapping[str, list[Row]]) -> Steps[EncoderEngine]:
    """Return an engine without what its heads have learned from rows, by label.

    Raises
    ------
    ForgettingError
        What is left is no posterior.
    """
    mean, precision = engine.mean.copy(), engine.precision.copy()
    for label, rows in lessons.items():
        at = engine.labels.index(label)
        # A head that is still the shipped one has learned nothing: see `update_label`.
        if not rows or np.array_equal(mean[at], shipped.mean[at]):
            continue
        vectors, values = yield from _embed(shipped, rows, 0)
        try:
            mean[at], precision[at] = leave_out(mean[at], precision[at], vectors, values)
        except np.linalg.LinAlgError as error:
            raise ForgettingError(
                f"{len(rows)} reviews cannot be taken out of the head of {label!r} one by one. The next training is without them."
            ) from error
    return engine.with_head(mean, precision)


def _judge_out_of_fold(shipped: EncoderEngine, vectors: Float32s, values: Bools, tau: float) -> Floats:
    """Return the probability of each row by a head that was fitted to the other folds."""
    fold = np.arange(len(values)) % _FOLDS
    probabilities = np.empty(len(values))
    for at in range(_FOLDS):
        engine = fit_label(shipped, vectors[fold != at], values[fold != at], tau=tau)
        probabilities[fold == at] = engine.judge_embeddings(vectors[fold == at])[PRIMARY]
    return probabilities
