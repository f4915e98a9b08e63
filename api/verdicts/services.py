"""The one way to a verdict."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import ClassVar

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from hate_speech_AI.budget import Budget
from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.engines.reasons import Influence
from hate_speech_AI.text.language import SUPPORTED, detect_language
from hate_speech_AI.version import Version

from ..access.callers import Caller, get_caller
from ..access.throttling import pay_for_tokens
from ..web.fields import MAX_TOKENS_TOGETHER


class LanguageNotSupported(APIException):
    """A text is not English, and the operator lets no other be judged."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "language_not_supported"
    about: ClassVar[dict[str, object]] = {"param": "input"}  # of OpenAI's format


def open_budget(request: Request, *, tokens: int = MAX_TOKENS_TOGETHER, seconds: int | None = None) -> Budget:
    """Return what the verdicts of a request may cost.

    Parameters
    ----------
    tokens : int
        How many tokens a request of this route may have.
    seconds : int, optional
        How long it may take from now on; 0 is no limit. The default is `ANSWER_SECONDS`.
    """
    seconds = settings.ANSWER_SECONDS if seconds is None else seconds
    # A server that watches its connections says when the client is gone.
    is_client_gone = request.META.get("api.is_client_gone")
    pay = partial(pay_for_tokens, request, get_caller(request))
    return Budget(tokens, time.monotonic() + seconds if seconds else inf, is_client_gone, pay)


def list_labels() -> Sequence[str]:
    """Return the labels of a verdict, for checks before one is asked for. Raises what `judge` raises."""
    engine = classifier.current().engine
    return engine.labels + engine.other_labels


def judge(
    texts: list[str],
    caller: Caller | None,
    explain: bool = False,
    *,
    with_reviews: bool = True,
    budget: Budget | None = None,
    any_language: bool = False,
    version: Version | None = None,
) -> list[Prediction]:
    """Return the verdicts on `texts`, in order, all by one version.

    Every route, dialect, queue and command calls this: what every verdict needs belongs here. It raises what
    `Classifier.current` and `Version.judge` raise, and `LanguageNotSupported`.

    Parameters
    ----------
    texts : list of str
    caller : Caller or None
        The caller of the request; `None` under open access, and for the service's own work.
    explain : bool
        Explain each verdict. The explanation is the model's, even if a review gives the verdict.
    with_reviews : bool
        Answer a text that a person has reviewed as reviewed. Otherwise the model alone answers.
    budget : Budget, optional
        What the verdicts may cost; every request has one. The service's own work has none.
    any_language : bool
        Judge also what UNSUPPORTED_LANGUAGES refuses, as the service's own work does.
    version : Version, optional
        The version to ask, if not the active one.
    """
    languages = [detect_language(text) for text in texts]
    if budget is not None and not any_language and settings.UNSUPPORTED_LANGUAGES == "refuse":
        _refuse_unsupported(languages)
    # One snapshot: if another version becomes active meanwhile, it must not explain the verdicts of this one.
    asked = version or classifier.current()
    predictions = asked.judge(texts, explain=explain, with_reviews=with_reviews, budget=budget)
    told = zip(predictions, languages, strict=True)
    return [one if language == SUPPORTED else replace(one, language=language) for one, language in told]


def trace(text: str, caller: Caller | None, *, budget: Budget) -> tuple[Prediction, Influence]:
    """Return the model's verdict on a text, without reviews of the text itself, and which reviews moved it; by one version.

    It raises what `judge` raises.
    """
    version = classifier.current()
    [prediction] = judge([text], caller, with_reviews=False, budget=budget, version=version)
    return prediction, version.trace(text, classifier.store.root / "embeddings", budget)


def _refuse_unsupported(languages: list[str]) -> None:
    place = next((place for place, language in enumerate(languages) if language != SUPPORTED), None)
    if place is not None:
        what = "The text" if len(languages) == 1 else f"Text {place}"
        raise LanguageNotSupported(f"{what} seems to be of language {languages[place]!r}. Only {SUPPORTED!r} is judged here.")
