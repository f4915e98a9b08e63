"""A loaded version, and what it says of texts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import repeat

from .engines.base import Engine, Judgement
from .label_index import LabelIndex
from .labels import complete_labels
from .text import fingerprint


@dataclass(frozen=True, slots=True)
class Prediction:
    """The verdict on one text.

    Attributes
    ----------
    is_hate_speech : bool
        Whether `probability` reaches `threshold`.
    probability : float
        Of the primary label, from 0 to 1; 1 is hateful. Of a text that a person has reviewed it is 0 or 1.
    threshold : float
        Of the version, chosen in its training.
    version : str
        The version that gave the verdict.
    labels : dict of str to float
        The probability of every label that the engine knows, the primary label first.
    is_reviewed : bool
        Whether a person's review gave the verdict, whatever the model thinks.
    uncertainty : float or None
        Standard deviation of the logit of `probability`: how little the labels so far say of such a text. 0 for a reviewed text;
        `None` if the engine does not know it.
    explanation : dict or None
        Why the model, not a review, judges so, as `Engine.explain` describes it; `None` if nobody asked for it.
    """

    is_hate_speech: bool
    probability: float
    threshold: float
    version: str
    labels: dict[str, float]
    is_reviewed: bool = False
    uncertainty: float | None = None
    explanation: dict | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A loaded version: all that answering needs.

    Attributes
    ----------
    engine : Engine
    reviews : dict of str to LabelIndex
        What people said of texts, by label.
    manifest : dict
    """

    engine: Engine
    reviews: dict[str, LabelIndex]
    manifest: dict

    @property
    def name(self) -> str:
        return self.manifest["version"]

    @property
    def threshold(self) -> float:
        return self.manifest["threshold"]

    def judge(self, texts: list[str], *, explain: bool = False, with_reviews: bool = True) -> list[Prediction]:
        """Return the verdicts on `texts`, in order; each text is encoded once.

        Parameters
        ----------
        explain : bool
            Explain each verdict too. The explanation is the model's, also where a review answers.
        with_reviews : bool
            Answer texts that a person has reviewed as reviewed; otherwise the model alone answers.

        Raises
        ------
        NoExplanationError
            The engine cannot explain its verdicts.
        """
        if explain:
            judgement, explanations = self.engine.explain(texts)
            predictions = self._list_predictions(judgement, explanations)
        else:
            predictions = self._list_predictions(self.engine.judge(texts), repeat(None))
        if with_reviews and self.reviews:
            predictions = [self._apply_reviews(text, one) for text, one in zip(texts, predictions, strict=True)]
        return predictions

    def _list_predictions(self, judgement: Judgement, explanations: Iterable[dict | None]) -> list[Prediction]:
        threshold, name = self.manifest["threshold"], self.manifest["version"]
        labels = list(judgement.probabilities)
        rows = zip(*[values.tolist() for values in judgement.probabilities.values()])  # noqa: B905  (plain: this is the fast path)
        uncertainties = repeat(None) if judgement.uncertainty is None else judgement.uncertainty.tolist()
        return [
            Prediction(row[0] >= threshold, row[0], threshold, name, dict(zip(labels, row)), False, uncertainty, why)  # noqa: B905
            for row, uncertainty, why in zip(rows, uncertainties, explanations)  # noqa: B905  (two of them may be endless)
        ]

    def _apply_reviews(self, text: str, prediction: Prediction) -> Prediction:
        """Return a prediction with what people said in the place of what the model says."""
        key = fingerprint(text)
        said = {label: value for label, index in self.reviews.items() if (value := index.get(key)) is not None}
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
