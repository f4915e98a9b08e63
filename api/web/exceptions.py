"""How errors become HTTP answers.

A 400 is {"errors": {field: [messages]}}, any other error {"detail", "code"}. Below the paths of `ERROR_SHAPES` both have that
dialect's shape.
"""

import logging
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import Error
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.module_loading import import_string
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ParseError, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from hate_speech_AI.errors import (
    AbandonedError,
    DeadlineError,
    HateSpeechError,
    ModelMissingError,
    NoExplanationError,
    TooManyTokensError,
    VersionError,
    VersionMissingError,
)

logger = logging.getLogger(__name__)

# From an error's status, message, code and further fields to its status and body.
ErrorShape = Callable[[int, str, str, dict[str, object]], tuple[int, dict[str, object]]]
# Status, message and code of an error that is ours.
SERVER_FAULT = (500, "Something went wrong here. The log says what.", "error")

NO_DATABASE = ("The database cannot be used now. Try again in a few seconds.", "database_unavailable")


class ServiceUnavailable(APIException):
    """A part of the service is not available now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = 5  # seconds, the answer's Retry-After


class RequestTooLarge(APIException):
    """The request asks for more than one request may cost."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class VersionUnusable(APIException):
    """The version that the caller names cannot be served. The active one stays as it is."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "version_unusable"


def find_error_shape(path: str) -> ErrorShape | None:
    """Return the shape that `ERROR_SHAPES` names for `path`; `None` for the service's own shape."""
    return next((shape for prefix, shape in _error_shapes().items() if path.startswith(prefix)), None)


@cache
def _error_shapes() -> dict[str, ErrorShape]:
    return {prefix: import_string(name) for prefix, name in settings.ERROR_SHAPES.items()}


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an error that a view raised into an answer; return `None` for an unexpected one, which becomes a 500."""
    error = _to_http_error(error, context)
    if isinstance(error, SuspiciousOperation):
        error = ParseError("The request is malformed.")
    response = exception_handler(error, context)
    if response is None:
        return None
    # An error is JSON, also of a view that answers with a page or with YAML.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    path = context["request"].path_info
    if isinstance(error, ValidationError):
        response.data = shape_invalid(path, _flatten_errors(error.detail))
        return response
    detail = getattr(error, "detail", None) or response.data["detail"]
    code = (isinstance(detail, ErrorDetail) and detail.code) or "error"
    if isinstance(error, ParseError) and not find_error_shape(path):
        response.data = {"errors": {"body": [str(detail)]}}
    else:
        response.status_code, response.data = shape_error(
            path, response.status_code, str(detail), code, getattr(error, "about", {})
        )
    return response


def _to_http_error(error: Exception, context: dict[str, Any]) -> Exception:
    """Return the HTTP error that a domain error means; any other error as it is."""
    if isinstance(error, ModelMissingError):
        error = ServiceUnavailable("The first training has not finished. Try again in a few seconds.", "model_missing")
    elif isinstance(error, TooManyTokensError):
        error = RequestTooLarge(str(error), "too_many_tokens")
    elif isinstance(error, (DeadlineError, AbandonedError)):
        error = ServiceUnavailable(str(error), "deadline_passed")
    elif isinstance(error, NoExplanationError):
        error = ValidationError({"explain": [str(error)]})
    elif isinstance(error, VersionMissingError) or (isinstance(error, Http404) and "version" in context["kwargs"]):
        error = NotFound("There is no such version. GET /models lists them.")
    elif isinstance(error, Http404) and "run" in context["kwargs"]:
        error = NotFound("There is no such training.")
    elif isinstance(error, VersionError) and context["kwargs"].get("version"):
        # The version that the caller named, not the active one.
        error = VersionUnusable(str(error))
    elif isinstance(error, HateSpeechError):
        logger.error("The active version cannot be used: %s", error)
        error = ServiceUnavailable("The active version cannot be used. The log says why.", "model_unusable")
    elif isinstance(error, Error):
        logger.error("The database cannot be used: %s", type(error).__name__)
        error = ServiceUnavailable(*NO_DATABASE)
    return error


def _flatten_errors(errors: dict[str, Any] | list[Any]) -> dict[str, list[str]]:
    """Return one list of messages for each field; an error in a list names the item."""
    if isinstance(errors, list):
        return {"body": [str(message) for message in errors]}
    flat: dict[str, list[str]] = {}
    for field, messages in errors.items():
        if isinstance(messages, dict):
            flat[str(field)] = [f"Item {index}: {message}" for index, inner in messages.items() for message in inner]
        else:
            flat[str(field)] = [str(message) for message in messages]
    return flat


def shape_error(
    path: str, status_code: int, detail: str, code: str, about: dict[str, object] | None = None
) -> tuple[int, dict[str, object]]:
    """Return the status and the body of an error, in the shape of the path."""
    shape = find_error_shape(path)
    return shape(status_code, detail, code, about or {}) if shape else (status_code, {"detail": detail, "code": code})


def shape_invalid(path: str, errors: dict[str, list[str]]) -> dict[str, object]:
    """Return the body of a 400, in the shape of the path: all errors by field, or in a dialect the first."""
    shape = find_error_shape(path)
    if shape is None:
        return {"errors": errors}
    field, messages = next(iter(errors.items()))
    return shape(400, f"{field}: {messages[0]}", "invalid_request", {"param": field})[1]


def make_error_response(request: HttpRequest, status_code: int, detail: str, code: str) -> JsonResponse:
    """Return an error outside of any view, in the shape of the path."""
    status_code, body = shape_error(request.path_info, status_code, detail, code)
    return JsonResponse(body, status=status_code)


def make_invalid_response(request: HttpRequest, field: str, message: str) -> JsonResponse:
    """Return a 400 outside of any view, in the shape of the path."""
    return JsonResponse(shape_invalid(request.path_info, {field: [message]}), status=400)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a request that Django itself refuses before it looks for a view."""
    return make_invalid_response(request, "body", "The request is malformed.")


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    return make_error_response(request, 403, "You may not do this.", "permission_denied")


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return make_error_response(request, 404, "There is nothing at this address. /docs lists what there is.", "not_found")


def server_error(request: HttpRequest) -> JsonResponse:
    error = sys.exc_info()[1]  # Django calls this while it handles the exception
    if isinstance(error, Error):
        logger.error("The database cannot be used: %s", type(error).__name__)
        return make_error_response(request, 503, *NO_DATABASE)
    return make_error_response(request, *SERVER_FAULT)
