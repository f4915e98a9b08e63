"""Perspective's `v1alpha1`: `comments:analyze`, `comments:suggestscore`, and what Google's client builds itself from.

IDENTITY_ATTACK is this service's `hate`, TOXICITY its `toxic`; no other attribute is served. Places count UTF-16 units, as
JavaScript does.
"""

from collections.abc import Container
from itertools import accumulate

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.text import fingerprint
from hate_speech_AI.text.sentences import find_sentences

from .. import services
from ..authentication import brought_by
from ..models import LabelName
from ..parsers import StrictJSONParser
from ..permissions import needs
from ..services import LabelledText
from .errors import CompatError
from .texts import fields_of, is_no_text, is_too_long

LANGUAGE = "en"
ATTRIBUTES = {"IDENTITY_ATTACK": LabelName.HATE, "TOXICITY": LabelName.TOXIC}
_PROBABILITY = (None, "SCORE_TYPE_UNSPECIFIED", "PROBABILITY")
_INVALID = "INVALID_REQUEST"


@extend_schema(exclude=True)
class AnalyzeView(APIView):
    """Score a comment; nothing of it is kept, whether `doNotStore` is set or not."""

    permission_classes = [needs("predict")]
    parser_classes = [StrictJSONParser]

    def post(self, request):
        asked, text, languages = _read(request)
        spans = find_sentences(text) if asked.get("spanAnnotations") is True else []
        whole, *parts = classifier.predict([text, *(text[start:end] for start, end in spans)])
        if not spans:
            spans, parts = [(0, len(text))], [whole]
        wanted = _wanted(asked, known=whole.labels, languages=languages)
        places = utf16_places(text)
        scores = {}
        for attribute, threshold in wanted.items():
            value = _value(whole, attribute)
            if value < threshold:
                continue
            scores[attribute] = {
                "spanScores": [
                    {"begin": places[start], "end": places[end], "score": _score(_value(part, attribute))}
                    for (start, end), part in zip(spans, parts, strict=True)
                ],
                "summaryScore": _score(value),
            }
        answer = {"attributeScores": scores, "languages": languages or [LANGUAGE], "detectedLanguages": [LANGUAGE]}
        return Response(answer | _token(asked))


@extend_schema(exclude=True)
class SuggestScoreView(APIView):
    """Record what a client's moderators say of a comment: the next training learns from it, and that version answers so."""

    permission_classes = [needs("review")]
    parser_classes = [StrictJSONParser]

    def post(self, request):
        asked, text, languages = _read(request)
        said = {"rows": _suggested(asked, text, languages), "source": "perspective", "comment": _comment(asked)}
        if asked.get("doNotStore") is not True:
            services.add_feedback(**said, **brought_by(request))
        return Response({"detectedLanguages": [LANGUAGE], "requestedLanguages": languages or [LANGUAGE]} | _token(asked))


def _refusal(message: str, kind: str = _INVALID, about: dict | None = None) -> CompatError:
    return CompatError(message, kind, about)


def _read(request) -> tuple[dict, str, list[str]]:
    """Return the fields of a request about a comment, the comment's text, and the languages that it names."""
    asked = fields_of(request.data)
    text = _text_of(asked)
    _check_context(asked.get("context"))
    return asked, text, _languages(asked)


def _text_of(asked: dict) -> str:
    comment = asked.get("comment")
    text = comment.get("text") if isinstance(comment, dict) else None
    if text is not None and not isinstance(text, str):
        raise _refusal("Invalid value at 'comment.text': a string is expected.")
    if not text or not text.strip():
        raise _refusal("Comment must be non-empty.", "COMMENT_EMPTY")
    kind = comment.get("type")
    if kind == "HTML":
        raise _refusal("Currently, only 'PLAIN_TEXT' comments are supported")
    if kind not in (None, "TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT"):
        raise _refusal("Unknown text type")
    if is_too_long(text):
        raise _refusal("Comment text too long.", "COMMENT_TOO_LONG")
    if is_no_text(text):
        raise _refusal("Invalid value at 'comment.text': it holds NUL or half of a surrogate pair.")
    return text


def _check_context(context: object) -> None:
    if isinstance(context, dict) and context.get("entries") and context.get("articleAndParentComment"):
        raise _refusal("Context can have either entries or article_and_parent_comment, but both fields were populated.")


def _languages(asked: dict) -> list[str]:
    languages = asked.get("languages") or []
    if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
        raise _refusal("Invalid value at 'languages': a list of strings is expected.")
    return languages


def _wanted(asked: dict, *, known: Container[str], languages: list[str]) -> dict[str, float]:
    """Return the attributes to answer, each with the score from which it is."""
    attributes = asked.get("requestedAttributes")
    if not isinstance(attributes, dict) or not attributes:
        raise _refusal("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")
    wanted = {}
    for name, given in attributes.items():
        details = given or {}
        if name not in ATTRIBUTES or ATTRIBUTES[name] not in known:
            if asked.get("dropUnsupportedAttributes") is True:
                continue
            raise _refusal(f"Unknown requested attribute: {name}")
        if not isinstance(details, dict):
            raise _refusal(f"Invalid value at 'requestedAttributes.{name}': an object is expected.")
        if details.get("scoreType") not in _PROBABILITY:
            raise _refusal(f"Requested score type {details['scoreType']} is not supported by attribute {name}")
        threshold = details.get("scoreThreshold", 0)
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            raise _refusal(f"Invalid value at 'requestedAttributes.{name}.scoreThreshold': a number is expected.")
        _refuse_foreign(languages, name)
        wanted[name] = threshold
    return wanted


def _refuse_foreign(languages: list[str], attribute: str) -> None:
    if foreign := [language for language in languages if language != LANGUAGE]:
        raise _refusal(
            f"Attribute {attribute} does not support request languages: {', '.join(foreign)}",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            {"languageNotSupportedByAttributeError": {"requestedLanguages": foreign, "attribute": attribute}},
        )


def _token(asked: dict) -> dict:
    """Return the client's name for its request, to be echoed."""
    return {"clientToken": asked["clientToken"]} if isinstance(asked.get("clientToken"), str) else {}


def _comment(asked: dict) -> tuple[str, str] | None:
    """Return the community and the client's name for the comment, which together say which comment it is."""
    for name in ("communityId", "clientToken"):
        if not isinstance(asked.get(name, ""), str):
            raise _refusal(f"Invalid value at '{name}': a string is expected.")
    return (asked.get("communityId", ""), asked["clientToken"]) if asked.get("clientToken") else None


def _suggested(asked: dict, text: str, languages: list[str]) -> list[LabelledText]:
    """Return the labels that are suggested for the comment's text and for spans of it."""
    attributes = asked.get("attributeScores")
    if not isinstance(attributes, dict) or not attributes:
        raise _refusal("Missing attribute_scores", "NO_REQUESTED_ATTRIBUTES")
    ends = utf16_places(text)
    place_of = {units: place for place, units in enumerate(ends)}
    rows = []
    for attribute, scores in attributes.items():
        where = f"attributeScores.{attribute}"
        if attribute not in ATTRIBUTES:
            raise _refusal(f"Unknown requested attribute: {attribute}")
        _refuse_foreign(languages, attribute)
        if not isinstance(scores, dict):
            raise _refusal(f"Invalid value at '{where}': an object is expected.")
        name, spans = ATTRIBUTES[attribute], scores.get("spanScores") or []
        if not isinstance(spans, list) or not (spans or scores.get("summaryScore")):
            raise _refusal(f"Invalid value at '{where}': a summaryScore, spanScores, or both are expected.")
        if scores.get("summaryScore"):
            rows.append(LabelledText(text, _decision(scores["summaryScore"], f"{where}.summaryScore"), name=name))
        for span in spans:
            begin, end = (
                place_of.get(span.get(side)) if isinstance(span, dict) and type(span.get(side)) is int else None
                for side in ("begin", "end")
            )
            if begin is None or end is None or not text[begin:end].strip():
                raise _refusal(f"Invalid value at '{where}.spanScores': begin and end are to enclose a part of the text.")
            rows.append(LabelledText(text[begin:end], _decision(span.get("score"), f"{where}.spanScores"), name=name))
    return _without_contradiction(rows)


def _decision(score: object, where: str) -> bool:
    if not isinstance(score, dict) or score.get("type") not in _PROBABILITY:
        raise _refusal(f"Invalid value at '{where}': a score of type PROBABILITY is expected.")
    value = score.get("value")
    if isinstance(value, bool) or value not in (0, 1):
        raise _refusal(f"Invalid value at '{where}': 0 or 1 is expected, as a moderator decides.")
    return value == 1


def _without_contradiction(rows: list[LabelledText]) -> list[LabelledText]:
    said: dict[tuple[str, str], bool] = {}
    for row in rows:
        key = fingerprint(row.text)
        if said.setdefault((key, row.name), row.value) != row.value:
            raise _refusal("Invalid value at 'attributeScores': it says both 0 and 1 of one text.")
    for (key, name), value in said.items():
        if name == LabelName.HATE and value and said.get((key, LabelName.TOXIC)) is False:
            raise _refusal("Invalid value at 'attributeScores': what is an IDENTITY_ATTACK is TOXICITY too.")
    return rows


def _value(prediction: Prediction, attribute: str) -> float:
    return prediction.labels[ATTRIBUTES[attribute]]


def _score(value: float) -> dict:
    return {"value": value, "type": "PROBABILITY"}


def utf16_places(text: str) -> list[int]:
    """Return for each place in `text`, its end included, how many UTF-16 units stand before it."""
    return [0, *accumulate(2 if char > "\uffff" else 1 for char in text)]


# --- the discovery document ---

_STRING, _NUMBER, _INTEGER, _FLAG = (
    {"type": "string"},
    {"type": "number", "format": "float"},
    {"type": "integer", "format": "int32"},
    {"type": "boolean"},
)


def _ref(name: str) -> dict:
    return {"$ref": name}


def _list(of: dict) -> dict:
    return {"type": "array", "items": of}


def _map(of: dict) -> dict:
    return {"type": "object", "additionalProperties": of}


_SCHEMAS = {
    "TextEntry": {"text": _STRING, "type": _STRING},
    "ArticleAndParentComment": {"article": _ref("TextEntry"), "parentComment": _ref("TextEntry")},
    "Context": {"entries": _list(_ref("TextEntry")), "articleAndParentComment": _ref("ArticleAndParentComment")},
    "AttributeParameters": {"scoreType": _STRING, "scoreThreshold": _NUMBER},
    "Score": {"value": _NUMBER, "type": _STRING},
    "SpanScore": {"begin": _INTEGER, "end": _INTEGER, "score": _ref("Score")},
    "AttributeScores": {"summaryScore": _ref("Score"), "spanScores": _list(_ref("SpanScore"))},
    "AnalyzeCommentRequest": {
        "comment": _ref("TextEntry"),
        "context": _ref("Context"),
        "requestedAttributes": _map(_ref("AttributeParameters")),
        "languages": _list(_STRING),
        "doNotStore": _FLAG,
        "dropUnsupportedAttributes": _FLAG,
        "spanAnnotations": _FLAG,
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "AnalyzeCommentResponse": {
        "attributeScores": _map(_ref("AttributeScores")),
        "languages": _list(_STRING),
        "detectedLanguages": _list(_STRING),
        "clientToken": _STRING,
    },
    "SuggestCommentScoreRequest": {
        "comment": _ref("TextEntry"),
        "context": _ref("Context"),
        "attributeScores": _map(_ref("AttributeScores")),
        "languages": _list(_STRING),
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "SuggestCommentScoreResponse": {
        "detectedLanguages": _list(_STRING),
        "requestedLanguages": _list(_STRING),
        "clientToken": _STRING,
    },
}
# What Google's clients may add to the URL of any call.
_PARAMETERS = ("alt", "callback", "fields", "key", "prettyPrint", "quotaUser")


def discovery_document(root: str) -> dict:
    """Return what describes this dialect to Google's client; `root` is the URL that the calls' paths follow."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "version": "v1alpha1",
        "title": "Hate speech detector, in Perspective's format",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "basePath": "",
        "batchPath": "batch",
        "parameters": {name: {"type": "string", "location": "query"} for name in _PARAMETERS},
        "schemas": {
            name: {"id": name, "type": "object", "properties": properties} for name, properties in sorted(_SCHEMAS.items())
        },
        "resources": {
            "comments": {
                "methods": {
                    "analyze": _method("analyze", "AnalyzeComment"),
                    "suggestscore": _method("suggestscore", "SuggestCommentScore"),
                }
            }
        },
    }


def _method(name: str, message: str) -> dict:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "path": path,
        "flatPath": path,
        "httpMethod": "POST",
        "parameters": {},
        "parameterOrder": [],
        "request": _ref(f"{message}Request"),
        "response": _ref(f"{message}Response"),
    }


@extend_schema(exclude=True)
class DiscoveryView(APIView):
    """Give Google's client what it builds itself from."""

    permission_classes = [AllowAny]
    authentication_classes = ()

    def get(self, request):
        if request.query_params.get("version", "v1alpha1") != "v1alpha1":
            raise _refusal("There is version v1alpha1 only.")
        return Response(discovery_document(request.build_absolute_uri("/")))
