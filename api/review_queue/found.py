"""A post that was found, and how to read what feeds hold."""

import json
from typing import NamedTuple

import requests

from ..web.outbound import OutboundError

_LONGEST_MARKUP = 50_000  # characters; the text of a longer post would not be judged either


class FoundPost(NamedTuple):
    """A text, where it was found, and the language that its feed says it is in."""

    text: str
    link: str
    language: str = ""


def strip_markup(markup: str) -> str:
    """Return the text of an HTML fragment, one line for each paragraph; nothing of a fragment that is too long."""
    if len(markup) > _LONGEST_MARKUP:
        return ""
    # Not at the top: only import_feed needs it.
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup, "html.parser")
    for tag in soup(["script", "style"]):
        tag.decompose()
    for tag in soup(["p", "br", "div", "li"]):
        tag.append("\n")
    lines = (" ".join(line.split()) for line in soup.get_text().splitlines())
    return "\n".join(line for line in lines if line)


def read_json(answer: requests.Response) -> dict[str, object]:
    """Return the JSON object of an answer. Raises `OutboundError` if there is none."""
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OutboundError(f"{answer.url} answers with no JSON object.")
    return found


def get_text(fields: dict[str, object], name: str) -> str:
    """Return a string of a JSON object; an empty one if it has none of that name."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def get_object(fields: dict[str, object], name: str) -> dict[str, object]:
    """Return an object within a JSON object; an empty one if it has none of that name."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def get_objects(fields: dict[str, object], name: str) -> list[dict[str, object]]:
    """Return the objects of a list within a JSON object; none if it has no such list."""
    value = fields.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
