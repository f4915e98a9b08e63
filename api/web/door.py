"""The outermost layer: each request passes it before Django parses anything, and each answer on its way out.

1. A request that the server could not read, or that nothing behind may see, is refused. Only the reason is handed on: the guard
   answers it in the caller's shape, so that pages of allowed origins can read it too.
2. The content type is rewritten: Django would look up any codec that it names.
3. An exception that nobody has caught becomes a 500 without any detail.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings

from .exceptions import SERVER_FAULT, shape_error
from .strings import find_fault, read_quoted

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
# Status, message, and a code for programs; of a 400 the field in its place.
Refusal = tuple[int, str, str]

# The key in the environment, and in `request.META`, under which the server and this layer say why a request is refused.
REFUSAL = "api.refusal"
_NOT_FOUND = (404, "There is nothing at this address. /docs lists what there is.", "not_found")
_BAD_QUERY = (400, "The query must be UTF-8, without null characters.", "query")
_LONG_QUERY = (400, "The query has too many fields.", "query")
_BAD_CHARSET = (400, "Only UTF-8 is understood.", "Content-Type")

_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+-]+/[\w!#$&^.+-]+)\s*(?:;|$)", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*(\*?)\s*=\s*([^;]*)", re.IGNORECASE)
_BOUNDARY = re.compile(
    r""";\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+./:=?-]{1,70}))\s*(?:;|$)""", re.ASCII | re.IGNORECASE
)


def add_door(application: Application) -> Application:
    """Return `application` behind this layer."""

    def door(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        refusal = environ.get(REFUSAL) or _find_fault(environ)
        if refusal:
            # What is at fault goes no further.
            environ |= {REFUSAL: refusal, "QUERY_STRING": "", "CONTENT_TYPE": "", "CONTENT_LENGTH": "0", "wsgi.input": BytesIO()}
        try:
            return application(environ, start_response)
        except Exception:
            logger.exception("A request could not be answered.")
            _, body = shape_error(environ.get("PATH_INFO", ""), *SERVER_FAULT)
            start_response("500 Internal Server Error", [("Content-Type", "application/json")])
            return [json.dumps(body).encode()]

    return door


def _find_fault(environ: Environ) -> Refusal | None:
    """Return why a request is refused before Django sees it."""
    return _check_path(environ) or _check_query(environ) or _check_content_type(environ)


def _check_path(environ: Environ) -> Refusal | None:
    try:
        # WSGI gives it as Latin-1, without its quoting.
        is_fine = not find_fault(environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8"))
    except UnicodeError:
        is_fine = False
    return None if is_fine else _NOT_FOUND


def _check_query(environ: Environ) -> Refusal | None:
    query: str = environ.get("QUERY_STRING", "")
    try:
        is_fine = not query or not find_fault(read_quoted(query.encode("latin-1")))
    except UnicodeError:
        is_fine = False
    if not is_fine:
        return _BAD_QUERY
    return _LONG_QUERY if query.count("&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS else None


def _check_content_type(environ: Environ) -> Refusal | None:
    """Refuse any charset but UTF-8, and leave nothing but the media type and a multipart body's boundary."""
    content_type: str = environ.get("CONTENT_TYPE", "")
    if content_type in ("", "application/json"):
        return None
    if not _is_utf8(content_type):
        return _BAD_CHARSET
    environ["CONTENT_TYPE"] = _rewrite_content_type(content_type)
    return None


def _is_utf8(content_type: str) -> bool:
    named = [(star, value.strip().strip("\"'").lower()) for star, value in _CHARSET.findall(content_type)]
    return all(not star and value in ("utf-8", "utf8", "") for star, value in named)


def _rewrite_content_type(content_type: str) -> str:
    found = _MEDIA_TYPE.match(content_type)
    media_type = found[1].lower() if found else "unknown/unknown"
    boundary = _BOUNDARY.search(content_type) if media_type == "multipart/form-data" else None
    return f'{media_type}; boundary="{boundary[1] or boundary[2]}"' if boundary else media_type
