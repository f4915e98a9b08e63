"""The one way to a verdict."""

from dataclasses import replace
from typing import ClassVar

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException

from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.text.language import SUPPORTED, detect_language

from ..access.callers import Caller


class LanguageNotSupported(APIException):
    """A text is not English, and the operator lets no other be judged."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "language_not_supported"
    about: ClassVar[dict[str, object]] = {"param": "input"}  # of OpenAI's format


def judge(
    texts: list[str], caller: Caller | None, explain: bool = False, *, with_reviews: bool = True, is_request: bool = False
) -> list[Prediction]:
    """Return the verdicts on `texts`, in order, all by one version.

    Every route, dialect, queue and command calls this: what every verdict needs belongs here.

    Parameters
    ----------
    texts : list of str
    caller : Caller or None
        The caller of the request; `None` under open access, and for the service's own work.
    explain : bool
        Explain each verdict. The explanation is the model's, even if a review gives the verdict.
    with_reviews : bool
        Answer a text that a person has reviewed as reviewed. Otherwise the model alone answers.
    is_request : bool
        Refuse what UNSUPPORTED_LANGUAGES refuses. The service's own work passes over no text.

    Raises
    ------
    LanguageNotSupported
        A text of the request is not English, and the operator refuses such texts.
    ModelMissingError
        No version is active yet.
    NoExplanationError
        The engine cannot explain.
    HateSpeechError
        The active version cannot be loaded, and there was none before it.
    """
    languages = [detect_language(text) for text in texts]
    if is_request and settings.UNSUPPORTED_LANGUAGES == "refuse":
        _refuse_unsupported(languages)
    # One snapshot: if another version becomes active meanwhile, it must not explain the verdicts of this one.
    predictions = classifier.current().judge(texts, explain=explain, with_reviews=with_reviews)
    return [
        one if language == SUPPORTED else replace(one, language=language)
        for one, language in zip(predictions, languages, strict=True)
    ]


def _refuse_unsupported(languages: list[str]) -> None:
    place = next((place for place, language in enumerate(languages) if language != SUPPORTED), None)
    if place is not None:
        what = "The text" if len(languages) == 1 else f"Text {place}"
        raise LanguageNotSupported(f"{what} seems to be of language {languages[place]!r}. Only {SUPPORTED!r} is judged here.")
