"""How the head of the encoder learns: the prior is the shipped posterior, and the labelled rows of a community update it.

The prior strength tau and the threshold are chosen out of fold. Then the gate takes the first update that passes.
"""

import logging
from typing import NamedTuple

import numpy as np

from ...arrays import Bools, Float32s, Floats, Places
from ...evaluation.metrics import compute_log_loss, measure, measure_f1
from ...evaluation.own_reviews import contradict
from ...evaluation.threshold import choose_threshold
from ...labels import PRIMARY, list_teachers
from ...text import fingerprint
from ...training.near_copies import number_near_copies
from ...training.progress import Progress, Steps
from ...training.rows import Row, Split, is_review, list_values
from ..base import Fitted, OutOfFold
from ..evaluation_set import EvaluationSet
from .engine import EncoderEngine, pick_windows

logger = logging.getLogger(__name__)

# How much ROC AUC a label may lose if the gate does not judge it.
LABEL_LOSS = 0.01
# The prior strengths to try. With 1 the shipped posterior counts in full.
TAUS = (1.0, 0.3, 0.1, 0.05, 0.03, 0.02, 0.01)
# The weakest one to try on reviews that contradict the shipped head more often than they agree with it.
_WEAKEST_FOR_CONTRADICTION = 0.3

_BATCH = 512  # texts embedded at once
_FOLDS = 5
# At most so many rows are judged out of fold, reviews before others. They come in the order of fingerprints, so the first are a
# random sample.
_FOLDED_ROWS = 20_000
# With fewer rows tau is not chosen: the prior counts in full, and the shipped validation split alone sets the threshold.
_FEWEST_ROWS, _FEWEST_OF_EACH = 100, 20


class Lessons(NamedTuple):
    """The rows that a head learns from, as embeddings.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, width)
    values : ndarray of bool, shape (n,)
        Which rows carry the label.
    is_review : ndarray of bool, shape (n,)
        Which rows are decisions of people.
    copies : ndarray of int, shape (n,)
        Near copies share a number.
    """

    vectors: Float32s
    values: Bools
    is_review: Bools
    copies: Places

    @classmethod
    def prepare(cls, rows: list[Row], vectors: Float32s) -> "Lessons":
        """Prepare rows. Near copies are looked for among reviews alone: nobody else gains by them."""
        reviewed = np.array([is_review(row.source) for row in rows], bool)
        copies, places = np.arange(len(rows)), np.flatnonzero(reviewed)
        copies[places] = places[number_near_copies([rows[at].text for at in places])]
        return cls(vectors, list_values(rows), reviewed, copies)

    def take(self, places: Places) -> "Lessons":
        """Return the rows at these places."""
        return Lessons(self.vectors[places], self.values[places], self.is_review[places], self.copies[places])

    def choose_folded(self) -> Places:
        """Return the places of the rows that are judged out of fold, in ascending order."""
        return np.sort(np.argsort(~self.is_review, kind="stable")[:_FOLDED_ROWS])

    def are_enough(self) -> bool:
        """Return whether tau can be chosen on these rows."""
        positive = int(self.values.sum())
        return len(self.values) >= _FEWEST_ROWS and min(positive, len(self.values) - positive) >= _FEWEST_OF_EACH

    def weigh(self) -> Floats:
        """Return how much each row counts in a choice: shape (n,).

        Near copies count as one text. If the reviews are enough to choose by, the other rows together count no more than they do.
        """
        numbers = np.unique(self.copies, return_inverse=True)[1]
        weights: Floats = 1 / np.bincount(numbers)[numbers]
        if self.take(np.flatnonzero(self.is_review)).are_enough():
            others = ~self.is_review
            weights[others] *= min(1, weights[self.is_review].sum() / max(weights[others].sum(), 1))
        return weights


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
    folded : ndarray of int, shape (n_folded,)
        The places of the rows that were judged so; none with too few rows.
    probabilities : ndarray of float64, shape (n_folded,)
        What those heads say of them.
    """

    engine: EncoderEngine
    tau: float
    threshold: float
    f1: float | None
    folded: Places
    probabilities: Floats


def fit_candidates(shipped: EncoderEngine, split: Split, evaluation: EvaluationSet) -> Steps[list[Fitted]]:
    """Embed the rows of a split, and return the updates of the shipped engine, the best first.

    1. Update the head of each other label that the split teaches, at prior strength 1.
    2. Update the head of the primary label at each prior strength.
    """
    primary = split.list_learnable(PRIMARY)
    lessons = Lessons.prepare(primary, (yield from _embed(shipped, primary, 0)))
    count = len(primary)
    engine = shipped
    for label in shipped.labels:
        rows = _list_lessons(split, label) if label != PRIMARY else []
        if rows:
            vectors = yield from _embed(shipped, rows, count)
            count += len(rows)
            engine = update_label(engine, label, vectors, list_values(rows), evaluation)
    yield Progress("fitting", split.n_rows)
    return [
        Fitted(
            one.engine,
            one.threshold,
            {"tau": one.tau, "out_of_fold_f1": one.f1},
            out_of_fold=_select_reviews(one, primary, lessons),
        )
        for one in update_primary(engine, lessons, evaluation)
    ]


def _select_reviews(update: Update, rows: list[Row], lessons: Lessons) -> OutOfFold | None:
    """Return what an update says of the reviews out of fold; `None` if it judged none."""
    reviewed = lessons.is_review[update.folded]
    if not reviewed.any():
        return None
    places = update.folded[reviewed]
    return OutOfFold([fingerprint(rows[at].text) for at in places], update.probabilities[reviewed], lessons.copies[places])


def _list_lessons(split: Split, label: str) -> list[Row]:
    """Return the rows that teach a label: its own, and those of other texts with a label from which it follows."""
    lessons = [row for teacher in list_teachers(label) for row in split.list_learnable(teacher) if row.value]
    # A later row of a text replaces an earlier one.
    return list({fingerprint(row.text): row for row in lessons + split.list_learnable(label)}.values())


def _embed(engine: EncoderEngine, rows: list[Row], before: int) -> Steps[Float32s]:
    """Return one embedding for each row. A long text has that of the window that `judge` picks.

    `before` is the number of rows that were embedded earlier, for the progress.
    """
    vectors = [np.empty((0, engine.mean.shape[1] - 1), np.float32)]
    for at in range(0, len(rows), _BATCH):
        found, starts, _ = engine.encoder.embed([row.text for row in rows[at : at + _BATCH]])
        vectors.append(found[pick_windows(engine.judge_embeddings(found)[PRIMARY], starts)])
        yield Progress("reading", before + min(at + _BATCH, len(rows)))
    return np.concatenate(vectors)


def update_primary(shipped: EncoderEngine, lessons: Lessons, evaluation: EvaluationSet) -> list[Update]:
    """Return an update of the primary label's head for each tau, those first that answer the rows best out of fold.

    The threshold is chosen on the rows and on the validation split of the evaluation set.
    """
    validation = evaluation.select_split("validation")
    if not lessons.are_enough():
        engine = fit_label(shipped, lessons.vectors, lessons.values, tau=1.0)
        threshold = choose_threshold(validation.truth(), shipped.judge_evaluation_set(validation)[PRIMARY])
        return [Update(engine, 1.0, threshold, None, np.empty(0, np.intp), np.empty(0))]
    folded = lessons.choose_folded()
    some = lessons.take(folded)
    weights = some.weigh()
    truth = np.concatenate([some.values, validation.truth()])
    counted = np.concatenate([weights, np.ones(len(validation.keys))])
    updates = []
    for tau in _list_taus(shipped, some):
        engine = fit_label(shipped, lessons.vectors, lessons.values, tau=tau)
        probabilities = _judge_out_of_fold(shipped, some, tau)
        with_validation = np.concatenate([probabilities, engine.judge_evaluation_set(validation)[PRIMARY]])
        threshold = choose_threshold(truth, with_validation, counted)
        f1 = measure_f1(some.values, probabilities >= threshold, weights)
        updates.append(Update(engine, tau, threshold, f1, folded, probabilities))
    return _sort_updates(updates, some.values, weights)


def _list_taus(shipped: EncoderEngine, lessons: Lessons) -> list[float]:
    """Return the prior strengths to try.

    Reviews that contradict the shipped head are false, or they correct its errors only. Nobody can tell by the labels alone. So
    they may not count much more than the public labels.
    """
    reviews = lessons.take(np.flatnonzero(lessons.is_review))
    if reviews.are_enough() and contradict(reviews.values, shipped.judge_embeddings(reviews.vectors)[PRIMARY], reviews.copies):
        return [tau for tau in TAUS if tau >= _WEAKEST_FOR_CONTRADICTION]
    return list(TAUS)


def _sort_updates(updates: list[Update], values: Bools, weights: Floats) -> list[Update]:
    """Return the updates, the best first.

    On few rows their log losses hardly differ by more than chance. So those within one standard error of the lowest count as
    equal, as in the one-standard-error rule (Breiman et al. 1984). Among equals the weakest prior comes first. It learns the
    most, and the gate sees to what must not be forgotten. It also shows poison at once.
    """
    losses = np.array([compute_log_loss(values, update.probabilities) for update in updates])
    means = np.average(losses, axis=1, weights=weights)
    apart = losses - losses[means.argmin()]
    spread = weights * (apart - np.average(apart, axis=1, weights=weights)[:, None])
    is_best = means - means.min() <= np.sqrt(np.square(spread).sum(1)) / weights.sum()
    order = sorted(range(len(updates)), key=lambda at: (0.0, updates[at].tau) if is_best[at] else (means[at], 0.0))
    return [updates[at] for at in order]


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


def _judge_out_of_fold(shipped: EncoderEngine, lessons: Lessons, tau: float) -> Floats:
    """Return the probability of each row by a head that was fitted to the other folds. Near copies are in one fold."""
    fold = np.unique(lessons.copies, return_inverse=True)[1] % _FOLDS
    probabilities = np.empty(len(fold))
    for at in range(_FOLDS):
        learned, judged = lessons.take(np.flatnonzero(fold != at)), fold == at
        engine = fit_label(shipped, learned.vectors, learned.values, tau=tau)
        probabilities[judged] = engine.judge_embeddings(lessons.vectors[judged])[PRIMARY]
    return probabilities
