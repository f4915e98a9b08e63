"""What both dialects ask of a request and of a text."""

import re

from .errors import CompatError

MAX_BYTES = 20_480  # of one text, in UTF-8
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def read_fields(body: object) -> dict:
    """Return the body's fields; what is no JSON object is refused."""
    if not isinstance(body, dict):
        raise CompatError("The body must be a JSON object.", "invalid_request")
    return body


def is_too_long(text: str) -> bool:
    return len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES


def has_invalid_characters(text: str) -> bool:
    """Return whether a string holds NUL or half of a surrogate pair, which no post has."""
    return bool(_NO_TEXT.search(text))
