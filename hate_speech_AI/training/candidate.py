"""A fitted engine with its figures: what the gate judges and the store keeps."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ..engines.base import Engine, Fitted
from ..engines.evaluation_set import EvaluationSet
from ..evaluation.functional_checks import answer_checks, summarise_checks
from ..evaluation.metrics import measure, measure_by_source
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..libraries import list_libraries
from .rows import Row, Split, list_values

SEED = 20260101

# Held-out rows are the score once there are so many, with so many of each value; before that it is of the shipped evaluation set.
_SCORE_ROWS, _SCORE_ROWS_OF_EACH = 300, 50


@dataclass(frozen=True)
class Scored:
    """What a score is of: labels (bool), probabilities (float64) and sources, all of length n."""

    labels: np.ndarray
    probabilities: np.ndarray
    sources: list[str]

    def measure(self, threshold: float) -> dict:
        return measure(self.labels, self.probabilities, threshold)


@dataclass(frozen=True)
class Candidate:
    """A trained version that is not in the store yet.

    Attributes
    ----------
    engine : Engine
    manifest : dict
        What is known of it: threshold, figures, rows, parameters, libraries.
    held_out : list of Row
        The rows of the primary label that it did not learn from.
    probabilities : ndarray of float64, shape (len(held_out),)
        What its model says of them.
    training_reviews : list of Row
        Reviews among what it learned from, not all of very many.
    reviews : dict of str to LabelIndex
        Every review of either side, by label: the version answers them as reviewed.
    scored : Scored
        What the score is of: the held-out rows, or the shipped evaluation set.
    evaluation : EvaluationSet, optional
        The evaluation set that ships with its engine, if one does.
    """

    engine: Engine
    manifest: dict
    held_out: list[Row]
    probabilities: np.ndarray
    training_reviews: list[Row]
    reviews: dict[str, LabelIndex]
    scored: Scored
    evaluation: EvaluationSet | None = None


def measure_candidate(fitted: Fitted, split: Split, evaluation: EvaluationSet | None) -> Candidate:
    """Measure a fitted engine on the held-out rows, on the functional checks, and on the evaluation set that ships with it."""
    engine, threshold, held_out = fitted.engine, fitted.threshold, split.list_side("held_out")
    probabilities = engine.predict_proba([row.text for row in held_out])
    scored = own = Scored(list_values(held_out), probabilities, [row.source for row in held_out])
    slices = {"held_out": own.measure(threshold)}
    if evaluation is not None:
        test = evaluation.select_split("test")
        shipped = Scored(test.truth(), engine.judge_evaluation_set(test)[PRIMARY], test.sources)
        slices["shipped"] = shipped.measure(threshold)
        if not _is_enough(own.labels):
            scored = shipped
    of = "held_out" if scored is own else "shipped"
    manifest = {
        "engine": engine.name,
        "labels": list(engine.labels),
        "threshold": threshold,
        **fitted.choices,
        "score": _describe_score(slices, of, split.n_trained_on),
        "by_source": measure_by_source(scored.sources, scored.labels, scored.probabilities, threshold),
        "checks": fitted.checks or summarise_checks(answer_checks(engine, threshold)),
        "rows": {"digest": split.digest, "by_source": split.sources, "learned_before": split.n_learned},
        "parameters": type(engine).parameters(),
        "seed": SEED,
        "libraries": list_libraries(),
    }
    return Candidate(engine, manifest, held_out, probabilities, split.training_reviews, split.reviews, scored, evaluation)


def _is_enough(labels: np.ndarray) -> bool:
    positive = int(labels.sum())
    return len(labels) >= _SCORE_ROWS and min(positive, len(labels) - positive) >= _SCORE_ROWS_OF_EACH


def _describe_score(slices: dict[str, dict], of: str, n_trained_on: int) -> dict:
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
