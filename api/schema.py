"""What the OpenAPI schema says of each endpoint: its examples and its errors."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)

from hate_speech_AI.labels import MEANINGS

from .serializers import (
    DetailSerializer,
    ErrorSerializer,
    HealthSerializer,
    HistoryEntrySerializer,
    InvalidSerializer,
    PointerSerializer,
    PredictionSerializer,
    PredictionsSerializer,
    ReadinessSerializer,
    ScoreSerializer,
    TrainingRunSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)

_VERSION = "20260102T000031Z-5c0ffee5"
_VERDICT = {
    "is_hate_speech": False,
    "probability": 0.04,
    "threshold": 0.31,
    "version": _VERSION,
    "labels": dict(zip(MEANINGS, (0.04, 0.07), strict=True)),
    "uncertainty": 0.21,
}
_EXPLANATION = {
    "logit": -3.2,
    "bias": -0.9,
    "words": [
        {"word": "lovely", "start": 0, "end": 6, "contribution": -1.4},
        {"word": "day", "start": 7, "end": 10, "contribution": -0.9},
    ],
}


def _answer(serializer, description: str, example: dict) -> OpenApiResponse:
    return OpenApiResponse(serializer, description, [OpenApiExample(description, value=example)])


def _error(description: str, code: str) -> OpenApiResponse:
    return _answer(ErrorSerializer, description, {"detail": description, "code": code})


def _invalid(errors: dict) -> OpenApiResponse:
    return _answer(InvalidSerializer, "What is wrong, by field; nothing was stored.", {"errors": errors})


_NOT_ALLOWED = {405: _error("This address does not take this method.", "method_not_allowed")}
_NO_DATABASE = {503: _error("The database cannot be used now. Try again in a few seconds.", "database_unavailable")}
_MISSING = {503: _error("The first training has not finished. Try again in a few seconds.", "model_missing")}
_KEYED = {
    401: _error("Without open access this needs an API key; there is none, or it is not valid.", "invalid_api_key"),
    403: _error(
        "The key lacks the scope; or the request comes from a site that CORS_ALLOWED_ORIGINS does not list.", "scope_missing"
    ),
    429: _error("Too many requests in the last minute. Retry-After says when to come again.", "throttled"),
    **_NOT_ALLOWED,
}
_POST_ERRORS = {
    411: _error("The body comes in chunks, without a Content-Length.", "length_required"),
    413: _error("The body is over 1 MiB.", "request_too_large"),
    415: _error("The body is neither JSON nor a form.", "unsupported_media_type"),
    **_KEYED,
}

predict = extend_schema(
    operation_id="predict",
    tags=["Prediction"],
    examples=[
        OpenApiExample("One text", value={"tweet": "What a lovely day in the park"}, request_only=True),
        OpenApiExample("Several texts", value={"tweets": ["What a lovely day", "See you soon"]}, request_only=True),
        OpenApiExample("With the reasons", value={"tweet": "lovely day", "explain": True}, request_only=True),
    ],
    responses={
        200: OpenApiResponse(
            PolymorphicProxySerializer(
                "PredictAnswer", serializers=[PredictionSerializer, PredictionsSerializer], resource_type_field_name=None
            ),
            "The verdict on the text, or `results` for several.",
            [
                OpenApiExample("One text", value=_VERDICT),
                OpenApiExample("Several texts", value={"results": [_VERDICT, _VERDICT]}),
                OpenApiExample("With the reasons", value={**_VERDICT, "explanation": _EXPLANATION}),
            ],
        ),
        400: _invalid({"tweet": ["This field may not be blank."]}),
        **_POST_ERRORS,
        **_MISSING,
    },
)

reviewed = extend_schema(
    operation_id="reviewed",
    tags=["Review"],
    examples=[OpenApiExample("A review", value={"tweet": "What a lovely day", "is_hate_speech": False}, request_only=True)],
    responses={
        200: _answer(DetailSerializer, "The review is stored.", {"detail": "Tweet added to the database correctly"}),
        400: _invalid({"is_hate_speech": ["This field is required."]}),
        **_POST_ERRORS,
        **_NO_DATABASE,
    },
)

_FIGURES = {
    "score": 0.75,
    "of": "held_out",
    "slices": {
        "held_out": {"f1": 0.75, "precision": 0.78, "recall": 0.72, "roc_auc": 0.96, "n": 6049},
        "shipped": {"f1": 0.77, "precision": 0.76, "recall": 0.78, "roc_auc": 0.91, "n": 7571},
    },
    "precision": 0.78,
    "recall": 0.72,
    "roc_auc": 0.96,
    "held_out": 6049,
    "trained_on": 23432,
}
_SCORE = {**_FIGURES, "trained_at": "2026-01-02T00:00:31+00:00"}

score = extend_schema(
    operation_id="score",
    tags=["Model"],
    responses={
        200: _answer(ScoreSerializer, "The active version's figures.", {**_SCORE, "version": _VERSION, "pinned": False}),
        **_MISSING,
        **_KEYED,
    },
)

_ENTRY = {
    "version": _VERSION,
    "created_at": "2026-01-02T00:00:31Z",
    "engine": "encoder",
    "outcome": "promoted",
    "active": True,
    "pinned": False,
    "pruned": False,
    "parent": "20260101T000029Z-0ddba115",
    "score": _SCORE,
    "reasons": [],
    "activations": [{"activated_at": "2026-01-02T00:00:33Z", "by": "gate"}],
}
_CONDITION = {
    "kind": "functional_group",
    "subject": "threat",
    "candidate": 0.71,
    "rival": 0.7,
    "rival_version": "20260101T000029Z-0ddba115",
    "limit": 0.04,
    "interval": None,
    "passed": True,
}
_RUN = {
    "run": 7,
    "stage": "fitting",
    "percent": 60,
    "outcome": "",
    "version": "",
    "error": "",
    "created_at": "2026-01-02T00:00:00Z",
    "finished_at": None,
}
_NO_VERSION = {404: _error("There is no such version. GET /models lists them.", "not_found")}
_PAGES = [
    OpenApiParameter("page", {"type": "integer", "minimum": 1}, description="From 1."),
    OpenApiParameter(
        "page_size", {"type": "integer", "minimum": 1, "maximum": 200}, description="At most 200; 20 unless it is given."
    ),
]


def _page(serializer, description: str, example: dict) -> dict:
    """Return the answers of a list in pages; the pages themselves are added to serializer and example."""
    return {
        200: _answer(serializer(many=True), description, example),
        404: _error("Invalid page.", "not_found"),
        **_NO_DATABASE,
        **_KEYED,
    }


score_history = extend_schema(
    operation_id="score_history",
    tags=["Model"],
    parameters=_PAGES,
    filters=False,
    responses=_page(
        HistoryEntrySerializer,
        "The scores of all versions, newest first.",
        {"version": _VERSION, **_SCORE, "outcome": "promoted", "active": True},
    ),
)

models = extend_schema(
    operation_id="models",
    tags=["Model"],
    parameters=_PAGES,
    responses=_page(VersionSerializer, "The versions, newest first.", _ENTRY),
)

model = extend_schema(
    operation_id="model",
    tags=["Model"],
    responses={
        200: _answer(
            VersionDetailSerializer,
            "The version.",
            {
                **_ENTRY,
                "gate": {"passed": True, "rival": _ENTRY["parent"], "conditions": [_CONDITION], "reasons": [], "slices": {}},
                "most_new_labels": [],
            },
        ),
        **_NO_VERSION,
        **_NO_DATABASE,
        **_KEYED,
    },
)

activate = extend_schema(
    operation_id="activate",
    tags=["Model"],
    request=None,
    responses={
        200: _answer(PointerSerializer, "It is active; processes follow within a second.", {"version": _VERSION, "pinned": True}),
        409: _error("The version cannot be served; the one before it goes on serving.", "version_unusable"),
        411: _POST_ERRORS[411],
        413: _POST_ERRORS[413],
        **_NO_VERSION,
        **_NO_DATABASE,
        **_KEYED,
    },
)

train = extend_schema(
    operation_id="train",
    tags=["Model"],
    request=None,
    responses={
        202: _answer(TrainingRunSerializer, "The training is queued, or was already.", {**_RUN, "stage": "queued", "percent": 0}),
        411: _POST_ERRORS[411],
        413: _POST_ERRORS[413],
        **_NO_DATABASE,
        **_KEYED,
    },
)

training_run = extend_schema(
    operation_id="training_run",
    tags=["Model"],
    responses={
        200: _answer(TrainingRunSerializer, "How far it is.", _RUN),
        404: _error("There is no such training.", "not_found"),
        **_NO_DATABASE,
        **_KEYED,
    },
)

healthz = extend_schema(
    operation_id="healthz",
    tags=["Health"],
    responses={200: _answer(HealthSerializer, "The process is up.", {"status": "ok"}), **_NOT_ALLOWED},
)

readyz = extend_schema(
    operation_id="readyz",
    tags=["Health"],
    responses={
        200: _answer(ReadinessSerializer, "All is there.", {"database": "ok", "broker": "ok", "model": "ok"}),
        503: _answer(ReadinessSerializer, "Something is missing.", {"database": "ok", "broker": "ok", "model": "missing"}),
        **_NOT_ALLOWED,
    },
)


class KeyScheme(OpenApiAuthenticationExtension):
    """Tells the schema how a key is shown."""

    target_class = "api.authentication.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "An API key; under open access none is needed."}
