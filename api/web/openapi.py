"""What the OpenAPI schemas of all rooms share: the shapes of errors, and how an answer and an error are described."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

EXAMPLE_VERSION = "20260102T000031Z-5c0ffee5"


class DetailSerializer(serializers.Serializer):
    """That it was done."""

    detail = serializers.CharField()


class InvalidSerializer(serializers.Serializer):
    """What is wrong with the request, by field; `body` where it is none."""

    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ErrorSerializer(serializers.Serializer):
    """Why the request was not answered."""

    detail = serializers.CharField()
    code = serializers.CharField()


def describe_answer(serializer, description: str, example: dict) -> OpenApiResponse:
    """Return the description of an answer, with one example."""
    return OpenApiResponse(serializer, description, [OpenApiExample(description, value=example)])


def describe_error(description: str, code: str) -> OpenApiResponse:
    """Return the description of an error; its text is the example's `detail` too."""
    return describe_answer(ErrorSerializer, description, {"detail": description, "code": code})


def describe_invalid(errors: dict) -> OpenApiResponse:
    """Return the description of a 400, with these errors as its example."""
    return describe_answer(InvalidSerializer, "What is wrong, by field; nothing was stored.", {"errors": errors})


NOT_ALLOWED = {405: describe_error("This address does not take this method.", "method_not_allowed")}
NO_DATABASE = {503: describe_error("The database cannot be used now. Try again in a few seconds.", "database_unavailable")}
NO_MODEL = {503: describe_error("The first training has not finished. Try again in a few seconds.", "model_missing")}
# Of every address that asks for a scope.
KEYED = {
    401: describe_error("Without open access this needs an API key; there is none, or it is not valid.", "invalid_api_key"),
    403: describe_error(
        "The key lacks the scope; or the request comes from a site that CORS_ALLOWED_ORIGINS does not list.", "scope_missing"
    ),
    429: describe_error("Too many requests in the last minute. Retry-After says when to come again.", "throttled"),
    **NOT_ALLOWED,
}
# Of every POST, also of one that needs no body.
BODY_ERRORS = {
    411: describe_error("The body comes in chunks, without a Content-Length.", "length_required"),
    413: describe_error("The body is over 1 MiB.", "request_too_large"),
}
POST_ERRORS = {
    **BODY_ERRORS,
    415: describe_error("The body is neither JSON nor a form.", "unsupported_media_type"),
    **KEYED,
}
PAGES = [
    OpenApiParameter("page", {"type": "integer", "minimum": 1}, description="From 1."),
    OpenApiParameter(
        "page_size", {"type": "integer", "minimum": 1, "maximum": 200}, description="At most 200; 20 unless it is given."
    ),
]


def describe_page(serializer, description: str, example: dict) -> dict:
    """Return the answers of a list in pages; drf-spectacular adds the pages themselves to serializer and example."""
    return {
        200: describe_answer(serializer(many=True), description, example),
        404: describe_error("Invalid page.", "not_found"),
        **NO_DATABASE,
        **KEYED,
    }
