"""Checks of requests and texts that both dialects share."""

import re

from .errors import CompatError

MAX_BYTES = 20_480  # of one text, in UTF-8
_INVALID_CHARACTERS = re.compile("[\0\ud800-\udfff]")


def read_fields(body: object) -> dict[str, object]:
    """Return the fields of a body. Raises `CompatError` if it is not a JSON object."""
    if not isinstance(body, dict):
        raise CompatError("The body must be a JSON object.", "invalid_request")
    return body


def is_too_long(text: str) -> bool:
    return len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES


def has_invalid_characters(text: str) -> bool:
    """Return whether a string holds NUL or half of a surrogate pair, which no post has."""
    return bool(_INVALID_CHARACTERS.search(text))
