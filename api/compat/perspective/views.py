"""`comments:analyze`, `comments:suggestscore`, and the discovery document.

`request.ATTRIBUTES` maps attributes to labels; no other attribute is served. Places count UTF-16 units, as in JavaScript.
"""

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction
from hate_speech_AI.text.language import detect_language
from hate_speech_AI.text.sentences import find_sentences

from ...access.authentication import KeyAuthentication
from ...access.callers import describe_origin, get_caller
from ...access.permissions import Scope, require_scope
from ...labels.services import add_feedback
from ...verdicts.headers import name_version
from ...verdicts.services import judge, list_labels, open_budget
from ...web.parsers import PlainTextJSONParser, StrictJSONParser
from .discovery import describe_discovery
from .request import (
    ATTRIBUTES,
    count_utf16_units,
    make_error,
    read_comment,
    read_comment_key,
    read_requested_attributes,
    read_suggestions,
    refuse_detected_language,
)


class PerspectiveKeyAuthentication(KeyAuthentication):
    """Takes a key as `?key=` too, as Perspective's clients send it."""

    def read_key(self, request: Request) -> str:
        return super().read_key(request) or request.GET.get("key", "")


@extend_schema(exclude=True)
class AnalyzeView(APIView):
    """Score a comment. Nothing is stored, with or without `doNotStore`."""

    authentication_classes = [PerspectiveKeyAuthentication]
    permission_classes = [require_scope(Scope.PREDICT)]
    parser_classes = [StrictJSONParser, PlainTextJSONParser]

    def post(self, request: Request) -> Response:
        asked, text, languages = read_comment(request)
        thresholds = read_requested_attributes(asked, known=list_labels(), languages=languages)
        if not languages and settings.UNSUPPORTED_LANGUAGES == "refuse":
            refuse_detected_language(detect_language(text), thresholds)
        spans = find_sentences(text) if asked.get("spanAnnotations") is True else []
        texts = [text, *(text[start:end] for start, end in spans)]
        whole, *parts = judge(texts, get_caller(request), budget=open_budget(request), any_language=True)
        if not spans:
            spans, parts = [(0, len(text))], [whole]
        places = count_utf16_units(text)
        scores = {}
        for attribute, threshold in thresholds.items():
            value = _get_value(whole, attribute)
            if value < threshold:
                continue
            scores[attribute] = {
                "spanScores": [
                    {"begin": places[start], "end": places[end], "score": _write_score(_get_value(part, attribute))}
                    for (start, end), part in zip(spans, parts, strict=True)
                ],
                "summaryScore": _write_score(value),
            }
        detected = [whole.language]
        answer = {"attributeScores": scores, "languages": languages or detected, "detectedLanguages": detected}
        return Response(answer | _echo_token(asked), headers=name_version([whole]))


@extend_schema(exclude=True)
class SuggestScoreView(APIView):
    """Record a decision of a client's moderators on a comment; the next training learns from it."""

    authentication_classes = [PerspectiveKeyAuthentication]
    permission_classes = [require_scope(Scope.REVIEW)]
    parser_classes = [StrictJSONParser, PlainTextJSONParser]

    def post(self, request: Request) -> Response:
        asked, text, languages = read_comment(request)
        rows, comment = read_suggestions(asked, text, languages), read_comment_key(asked)
        if asked.get("doNotStore") is not True:
            add_feedback(rows=rows, source="perspective", comment=comment, **describe_origin(request))
        detected = [detect_language(text)]
        return Response({"detectedLanguages": detected, "requestedLanguages": languages or detected} | _echo_token(asked))


@extend_schema(exclude=True)
class DiscoveryView(APIView):
    """Return the discovery document, from which Google's client builds its methods."""

    permission_classes = [AllowAny]
    authentication_classes = ()

    def get(self, request: Request) -> Response:
        if request.query_params.get("version", "v1alpha1") != "v1alpha1":
            raise make_error("There is version v1alpha1 only.")
        return Response(describe_discovery(request.build_absolute_uri(reverse("home"))))


def _echo_token(asked: dict[str, object]) -> dict[str, object]:
    """Return the request's `clientToken`, if it has one, for the answer."""
    return {"clientToken": asked["clientToken"]} if isinstance(asked.get("clientToken"), str) else {}


def _get_value(prediction: Prediction, attribute: str) -> float:
    return prediction.labels[ATTRIBUTES[attribute]]


def _write_score(value: float) -> dict[str, object]:
    return {"value": value, "type": "PROBABILITY"}
