"""What the OpenAPI schema says of each endpoint: its examples and its errors."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer, extend_schema

from .serializers import (
    DetailSerializer,
    ErrorSerializer,
    HealthSerializer,
    InvalidSerializer,
    PredictionSerializer,
    PredictionsSerializer,
    ReadinessSerializer,
    ScoreSerializer,
)

_VERSION = "20260102T000031Z-5c0ffee5"
_VERDICT = {"is_hate_speech": False, "probability": 0.04, "threshold": 0.31, "version": _VERSION}


def _answer(serializer, description: str, example: dict) -> OpenApiResponse:
    return OpenApiResponse(serializer, description, [OpenApiExample(description, value=example)])


def _error(description: str, code: str) -> OpenApiResponse:
    return _answer(ErrorSerializer, description, {"detail": description, "code": code})


def _invalid(errors: dict) -> OpenApiResponse:
    return _answer(InvalidSerializer, "What is wrong, by field; nothing was stored.", {"errors": errors})


_NOT_ALLOWED = {405: _error("This address does not take this method.", "method_not_allowed")}
_NO_DATABASE = {503: _error("The database cannot be used now. Try again in a few seconds.", "database_unavailable")}
_MISSING = {503: _error("The first training has not finished. Try again in a few seconds.", "model_missing")}
_POST_ERRORS = {
    403: _error("The request comes from another site, which CORS_ALLOWED_ORIGINS does not list.", "cross_site"),
    411: _error("The body comes in chunks, without a Content-Length.", "length_required"),
    413: _error("The body is over 1 MiB.", "request_too_large"),
    415: _error("The body is neither JSON nor a form.", "unsupported_media_type"),
    **_NOT_ALLOWED,
}

predict = extend_schema(
    operation_id="predict",
    tags=["Prediction"],
    examples=[
        OpenApiExample("One text", value={"tweet": "What a lovely day in the park"}, request_only=True),
        OpenApiExample("Several texts", value={"tweets": ["What a lovely day", "See you soon"]}, request_only=True),
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

score = extend_schema(
    operation_id="score",
    tags=["Model"],
    responses={
        200: _answer(
            ScoreSerializer,
            "The active version's figures.",
            {
                "score": 0.75,
                "precision": 0.78,
                "recall": 0.72,
                "roc_auc": 0.96,
                "held_out": 6049,
                "trained_on": 23432,
                "trained_at": "2026-01-02T00:00:31+00:00",
                "version": _VERSION,
            },
        ),
        **_MISSING,
        **_NOT_ALLOWED,
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
