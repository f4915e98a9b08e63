"""A loaded version, and its verdicts on texts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import numpy as np

from .arrays import Floats
from .budget import Budget
from .engines.base import Engine, Judgement
from .engines.reasons import Explanation, Influence
from .label_index import LabelIndex
from .labels import complete_labels, is_consistent
from .manifest import Manifest
from .text import compute_likeness, fingerprint
from .text.language import SUPPORTED

# A target has no threshold of its own, so: more likely than not.
_TARGET_FROM = 0.5
_NO_REVIEWS = LabelIndex.build(())


@dataclass(frozen=True, slots=True)
class Prediction:
    """The verdict on one text.

    Attributes
    ----------
    is_hate_speech : bool
        Whether `probability` reaches `threshold`.
    probability : float
        The probability of the primary label, from 0 to 1; 1 is hateful. It is 0 or 1 for a text that a person has reviewed.
    threshold : float
        The threshold of the version, chosen in its training.
    version : str
        The version that gave the verdict.
    labels : dict of str to float
        The probability of every label that the engine knows, the primary label first.
    is_reviewed : bool
        Whether a person's review gave the verdict.
    uncertainty : float or None
        Standard deviation of the logit of `probability` under the posterior. It is large for a text unlike the training rows, and
        0 for a reviewed text. `None` if the engine has no posterior.
    explanation : Explanation or None
        The model's reasons, also if a review gave the verdict. `None` if nobody asked for it.
    is_truncated : bool
        Whether the text was too long for the model, which then read its first, its last and its most suspicious parts.
    targets : dict of str to float, or None
        The groups that the text attacks, as the model says: those of at least a half, with their probabilities. They mean
        something only if the text is hate speech. `None` if the engine knows no targets.
    language : str
        The language of the text: see `text.language.detect_language`. Whoever asks for a verdict tells it.
    """

    is_hate_speech: bool
    probability: float
    threshold: float
    version: str
    labels: dict[str, float]
    is_reviewed: bool = False
    uncertainty: float | None = None
    explanation: Explanation | None = None
    is_truncated: bool = False
    targets: dict[str, float] | None = None
    language: str = SUPPORTED


@dataclass(frozen=True, slots=True)
class Version:
    """A loaded version: everything that an answer needs.

    Attributes
    ----------
    engine : Engine
    reviews : dict of str to LabelIndex
        The reviews by label.
    manifest : Manifest
    """

    engine: Engine
    reviews: dict[str, LabelIndex]
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest["version"]

    @property
    def threshold(self) -> float:
        return self.manifest["threshold"]

    def judge(
        self, texts: list[str], *, explain: bool = False, with_reviews: bool = True, budget: Budget | None = None
    ) -> list[Prediction]:
        """Return the verdicts on `texts`, in order. Each text is encoded once.

        Parameters
        ----------
        explain : bool
            Whether to explain each verdict. The explanation is the model's, also if a review gives the verdict.
        with_reviews : bool
            Whether a review decides over the model. Otherwise the model alone answers.
        budget : Budget, optional
            What the verdicts may cost. The default is no limit.

        Raises
        ------
        TooManyTokensError, DeadlineError, AbandonedError
            The budget says so.
        NoExplanationError
            The engine cannot explain its verdicts.
        """
        if explain:
            judgement, explanations = self.engine.explain(texts, budget)
            predictions = self._list_predictions(judgement, explanations)
        else:
            judgement = self.engine.judge(texts, budget)
            predictions = self._list_predictions(judgement, repeat(None))
        for at in judgement.truncated:
            predictions[at] = replace(predictions[at], is_truncated=True)
        if with_reviews and self.reviews:
            predictions = [self._apply_reviews(text, one) for text, one in zip(texts, predictions, strict=True)]
        return predictions

    def trace(self, text: str, folder: Path, budget: Budget | None = None) -> Influence:
        """Return which reviews moved the model's judgement on a text: see `Engine.trace`."""
        return self.engine.trace(text, self.reviews.get(self.engine.labels[0], _NO_REVIEWS), folder, budget)

    def _list_predictions(self, judgement: Judgement, explanations: Iterable[Explanation | None]) -> list[Prediction]:
        threshold, name = self.manifest["threshold"], self.manifest["version"]
        labels = list(judgement.probabilities)
        rows = zip(*[values.tolist() for values in judgement.probabilities.values()])  # noqa: B905  (plain: this is the fast path)
        uncertainties: Iterable[float | None] = repeat(None) if judgement.uncertainty is None else judgement.uncertainty.tolist()
        targets = self._list_targets(judgement.targets)
        whole = zip(rows, uncertainties, explanations, targets)  # noqa: B905  (some of them may be endless)
        return [
            Prediction(
                row[0] >= threshold,
                row[0],
                threshold,
                name,
                dict(zip(labels, row)),  # noqa: B905
                uncertainty=uncertainty,
                explanation=why,
                targets=groups,
            )
            for row, uncertainty, why, groups in whole
        ]

    def _list_targets(self, targets: Floats | None) -> Iterable[dict[str, float] | None]:
        if targets is None:
            return repeat(None)
        found: list[dict[str, float]] = [{} for _ in targets]
        places = np.nonzero(targets >= _TARGET_FROM)
        for text, group, probability in zip(*(column.tolist() for column in (*places, targets[places]))):  # noqa: B905
            found[text][self.engine.targets[group]] = probability
        return found

    def _apply_reviews(self, text: str, prediction: Prediction) -> Prediction:
        """Return a prediction in which the reviews of the text replace what the model says."""
        said = self._find_reviews(text)
        if not said:
            return prediction
        said = complete_labels(said)
        labels = {label: float(said[label]) if label in said else value for label, value in prediction.labels.items()}
        primary = self.engine.labels[0]
        if primary not in said:
            return replace(prediction, labels=labels)
        return replace(
            prediction,
            is_hate_speech=said[primary],
            probability=labels[primary],
            labels=labels,
            is_reviewed=True,
            uncertainty=None if prediction.uncertainty is None else 0.0,
        )

    def _find_reviews(self, text: str) -> dict[str, bool]:
        """Return what people said of the text by label, else of texts that read the same, unless these contradict each other."""
        key = fingerprint(text)
        said = {label: value for label, index in self.reviews.items() if (value := index.get(key)) is not None}
        if said or (likeness := compute_likeness(text)) is None:
            return said
        said = {label: value for label, index in self.reviews.items() if (value := index.get_alike(likeness)) is not None}
        return said if is_consistent(said) else {}
