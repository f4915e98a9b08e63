"""The one way to a verdict."""

from dataclasses import dataclass, fields

from hate_speech_AI.core import Prediction, classifier

from ..access.callers import Caller


@dataclass(frozen=True, slots=True)
class Verdict(Prediction):
    """What the service says of one text.

    Attributes
    ----------
    explanation : dict or None
        What each word adds to the model's logit, if it was asked for; also where a review gave the verdict.
    """

    explanation: dict | None = None


_PREDICTED = [field.name for field in fields(Prediction)]


def judge(texts: list[str], caller: Caller | None, explain: bool = False, *, with_reviews: bool = True) -> list[Verdict]:
    """Return the verdicts on `texts`, in order, all by one version.

    Every route, dialect, queue and command asks here, so that what belongs to each verdict has one place.

    Parameters
    ----------
    texts : list of str
    caller : Caller or None
        Who asks, as in `request.auth`; `None` under open access, and for the service's own work.
    explain : bool
        Whether to explain each verdict.
    with_reviews : bool
        Whether a text that a person has reviewed is answered as reviewed. Without it the model alone answers.

    Raises
    ------
    ModelMissingError
        No version is active yet.
    NoExplanationError
        The engine cannot explain.
    HateSpeechError
        The active version cannot be loaded, and there was none before it.
    """
    predictions = classifier.predict(texts, with_reviews=with_reviews)
    explanations = classifier.explain(texts) if explain else [None] * len(texts)
    return [
        Verdict(*(getattr(prediction, name) for name in _PREDICTED), explanation)
        for prediction, explanation in zip(predictions, explanations, strict=True)
    ]
