"""The shared half of the OpenAPI schema: the shapes of errors, and functions that describe answers and errors."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

Shape = serializers.BaseSerializer[Any]

EXAMPLE_VERSION = "20260102T000031Z-5c0ffee5"


class DetailSerializer(serializers.Serializer[object]):
    """A confirmation in words."""

    detail = serializers.CharField()


class InvalidSerializer(serializers.Serializer[object]):
    """The errors of a request, by field. `body` stands for the request as a whole."""

    errors = serializers.DictField(  # type: ignore[assignment]  # DRF takes fields off the class
        child=serializers.ListField(child=serializers.CharField())
    )


class ErrorSerializer(serializers.Serializer[object]):
    """An error: `detail` in words, `code` for programs."""

    detail = serializers.CharField()
    code = serializers.CharField()


def describe_answer(serializer: type[Shape] | Shape, description: str, example: dict[str, object]) -> OpenApiResponse:
    """Return the description of an answer, with one example."""
    return OpenApiResponse(serializer, description, [OpenApiExample(description, value=example)])


def describe_error(description: str, code: str) -> OpenApiResponse:
    """Return the description of an error, with the same text as the example's `detail`."""
    return describe_answer(ErrorSerializer, description, {"detail": description, "code": code})


def describe_invalid(errors: dict[str, list[str]]) -> OpenApiResponse:
    """Return the description of a 400, with these errors as its example."""
    return describe_answer(InvalidSerializer, "The errors by field. Nothing was stored.", {"errors": errors})


def require_bodies(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Return the schema with each body required. drf-spectacular asks for one only if a field of it is required."""
    for methods in result["paths"].values():
        for operation in methods.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


NOT_ALLOWED = {405: describe_error("This address does not take this method.", "method_not_allowed")}
NO_DATABASE = {503: describe_error("The database cannot be used now. Try again in a few seconds.", "database_unavailable")}
NO_MODEL = {503: describe_error("The first training has not finished. Try again in a few seconds.", "model_missing")}
# Every route that requires a scope answers these.
KEYED = {
    401: describe_error("The API key is missing or not valid. Under open access none is needed.", "invalid_api_key"),
    403: describe_error(
        "The key lacks the scope, or the request comes from a site that CORS_ALLOWED_ORIGINS does not list.", "scope_missing"
    ),
    429: describe_error("Too many requests in the last minute. Retry-After says how many seconds to wait.", "throttled"),
    **NOT_ALLOWED,
}
# Every POST answers these, with or without a body.
BODY_ERRORS = {
    408: describe_error("The request did not arrive in time.", "request_timeout"),
    413: describe_error("The body is over 1 MiB, or its texts are beyond a limit: docs/try.md lists them.", "request_too_large"),
}
POST_ERRORS = {
    **BODY_ERRORS,
    415: describe_error("The body is neither JSON nor a form.", "unsupported_media_type"),
    **KEYED,
}
PAGES = [
    OpenApiParameter("page", {"type": "integer", "minimum": 1}, description="The page, from 1."),
    OpenApiParameter(
        "page_size", {"type": "integer", "minimum": 1, "maximum": 200}, description="Entries a page: 20 by default, at most 200."
    ),
]


def describe_page(serializer: type[Shape], description: str, example: dict[str, object]) -> dict[int, OpenApiResponse]:
    """Return the answers of a paginated list; drf-spectacular wraps serializer and example in a page."""
    return {
        200: describe_answer(serializer(many=True), description, example),
        400: describe_invalid({"page_size": ["A number from 1 to 200 is expected."]}),
        404: describe_error("Invalid page.", "not_found"),
        **NO_DATABASE,
        **KEYED,
    }
