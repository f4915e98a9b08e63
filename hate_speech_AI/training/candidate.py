"""A candidate: a fitted engine with its figures. The gate judges it, and the store keeps it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..arrays import Bools, Floats
from ..engines.base import Engine, Fitted, OutOfFold
from ..engines.evaluation_set import EvaluationSet
from ..evaluation.functional_checks import answer_checks, summarise_checks
from ..evaluation.metrics import count_errors_by_target, measure, measure_by_source
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..libraries import list_libraries
from ..manifest import CandidateManifest, Figures, Score, TargetErrors
from .rows import Row, Split, list_values

SEED = 20260101

# The score is measured on the held-out rows once there are so many, with so many of each value. Before that it is measured on the
# shipped evaluation set.
_SCORE_ROWS, _SCORE_ROWS_OF_EACH = 300, 50


@dataclass(frozen=True)
class Scored:
    """Judged texts: their true labels, the probabilities given and their sources, each of length n."""

    labels: Bools
    probabilities: Floats
    sources: list[str]

    def measure(self, threshold: float) -> Figures:
        return measure(self.labels, self.probabilities, threshold)


@dataclass(frozen=True)
class Candidate:
    """A trained version that is not in the store yet.

    Attributes
    ----------
    engine : Engine
    manifest : CandidateManifest
    held_out : list of Row
        The held-out rows of the primary label.
    probabilities : ndarray of float64, shape (len(held_out),)
        The model's probabilities of these rows.
    training_reviews : list of Row
        Reviews that the engine learned from, at most 20,000.
    reviews : dict of str to LabelIndex
        Every review by label, held out or not. The version answers these texts as reviewed.
    scored : Scored
        The texts that the score is measured on: the held-out rows, or the shipped evaluation set.
    evaluation : EvaluationSet, optional
        The evaluation set that ships with the engine, if one does.
    out_of_fold : OutOfFold, optional
        What its training says of the reviews out of fold, if they are enough for that.
    """

    engine: Engine
    manifest: CandidateManifest
    held_out: list[Row]
    probabilities: Floats
    training_reviews: list[Row]
    reviews: dict[str, LabelIndex]
    scored: Scored
    evaluation: EvaluationSet | None = None
    out_of_fold: OutOfFold | None = None


def measure_candidate(fitted: Fitted, split: Split, evaluation: EvaluationSet | None) -> Candidate:
    """Measure a fitted engine on the held-out rows, the functional checks and the evaluation set that ships with it."""
    engine, threshold, held_out = fitted.engine, fitted.threshold, split.list_side("held_out")
    probabilities = engine.predict_proba([row.text for row in held_out])
    scored = held_out_rows = Scored(list_values(held_out), probabilities, [row.source for row in held_out])
    slices = {"held_out": held_out_rows.measure(threshold)}
    by_target: dict[str, TargetErrors] = {}
    if evaluation is not None:
        test = evaluation.select_split("test")
        shipped = Scored(test.truth(), engine.judge_evaluation_set(test)[PRIMARY], test.sources)
        slices["shipped"] = shipped.measure(threshold)
        by_target = count_errors_by_target(test.list_targets(), shipped.labels, shipped.probabilities >= threshold)
        if not _is_enough(held_out_rows.labels):
            scored = shipped
    of = "held_out" if scored is held_out_rows else "shipped"
    manifest: CandidateManifest = {
        "engine": engine.name,
        "labels": list(engine.labels),
        "threshold": threshold,
        **fitted.choices,
        "score": _describe_score(slices, of, split.n_trained_on),
        "by_source": measure_by_source(scored.sources, scored.labels, scored.probabilities, threshold),
        "by_target": by_target,
        "checks": fitted.checks or summarise_checks(answer_checks(engine, threshold)),
        "rows": {"digest": split.digest, "by_source": split.sources, "learned_before": split.n_learned},
        "parameters": type(engine).parameters(),
        "seed": SEED,
        "libraries": list_libraries(),
    }
    return Candidate(
        engine, manifest, held_out, probabilities, split.training_reviews, split.reviews, scored, evaluation, fitted.out_of_fold
    )


def _is_enough(labels: Bools) -> bool:
    positive = int(labels.sum())
    return len(labels) >= _SCORE_ROWS and min(positive, len(labels) - positive) >= _SCORE_ROWS_OF_EACH


def _describe_score(slices: dict[str, Figures], of: str, n_trained_on: int) -> Score:
    figures = slices[of]
    return {
        "score": figures["f1"],
        "precision": figures["precision"],
        "recall": figures["recall"],
        "roc_auc": figures["roc_auc"],
        "of": of,
        "slices": slices,
        "held_out": slices["held_out"]["n"],
        "trained_on": n_trained_on,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
