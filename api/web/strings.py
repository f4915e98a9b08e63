"""Which strings are taken: those that can be encoded in UTF-8, and stored by every database."""

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

# PostgreSQL refuses NUL; half of a surrogate pair cannot be encoded.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# In JSON both hide behind an escape. Most bodies have none, which spares them the walk through all strings.
_ESCAPED = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)


def find_fault(text: str) -> str | None:
    """Return why `text` cannot be stored, in words; `None` if it can."""
    found = _UNSTORABLE.search(text)
    if not found:
        return None
    return "Null characters are not allowed." if found[0] == "\0" else "Half of a surrogate pair is not allowed."


def may_hide_fault(json_text: str) -> bool:
    """Return whether a string of a JSON text may turn out unstorable when it is parsed."""
    return bool(_ESCAPED.search(json_text))


def find_faults(body: object) -> dict[str, list[str]]:
    """Return the first string of a parsed body that cannot be stored, as an error of its field; empty if all can be.

    A field whose name cannot be stored is an error of the `body`.
    """
    for field, place, text in _walk(body):
        if message := find_fault(text):
            return {field: [message if place is None else f"Item {place}: {message}"]}
    return {}


def _walk(body: object) -> Iterator[tuple[str, int | None, str]]:
    """Give each string, keys too, with its field and its place in the field's list.

    It needs no recursion, and no memory for paths: a body may nest deeply.
    """
    waiting: list[tuple[str, int | None, object]] = []
    if isinstance(body, dict):
        for field, value in body.items():
            yield "body", None, field
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            waiting += [(field, place, item) for place, item in items]
    else:
        waiting.append(("body", None, body))
    while waiting:
        field, place, value = waiting.pop()
        if isinstance(value, str):
            yield field, place, value
        elif isinstance(value, list):
            waiting += [(field, place, item) for item in value]
        elif isinstance(value, dict):
            for key, item in value.items():
                yield field, place, key
                waiting.append((field, place, item))


def read_quoted(quoted: bytes) -> str:
    """Return what a query or a form says once its `%` are undone. Raises `UnicodeDecodeError` if that is not UTF-8."""
    return unquote_to_bytes(quoted).decode("utf-8")
