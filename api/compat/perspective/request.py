"""Read requests in Perspective's format.

Each function raises `CompatError` for a request that it refuses.
"""

from collections.abc import Container, Iterable, Sized
from itertools import accumulate

from rest_framework.request import Request

from hate_speech_AI.labels import HATE, IMPLIES, INSULT, PROFANITY, THREAT, TOXIC
from hate_speech_AI.text import fingerprint
from hate_speech_AI.text.language import SUPPORTED

from ...access.quota import check_size
from ...labels.recording import LabelledText
from ..errors import CompatError
from ..texts import read_fields

MAX_BYTES = 20_480  # of a comment, in UTF-8
ATTRIBUTES = {"IDENTITY_ATTACK": HATE, "TOXICITY": TOXIC, "INSULT": INSULT, "THREAT": THREAT, "PROFANITY": PROFANITY}
# Clients often ask for all six main attributes at once, and read those that are answered. No label says how severe a text is.
_UNSCORED = frozenset(["SEVERE_TOXICITY"])
# How many attributes, languages, or spans of an attribute a request may name.
_MAX_ITEMS = 100
_PROBABILITY = (None, "SCORE_TYPE_UNSPECIFIED", "PROBABILITY")


def make_error(message: str, kind: str = "INVALID_REQUEST", about: dict[str, object] | None = None) -> CompatError:
    return CompatError(message, kind, about)


def _count(items: Sized, where: str) -> None:
    """Raise `CompatError` if there are too many items. Called before any of them is read."""
    if len(items) > _MAX_ITEMS:
        raise make_error(f"Invalid value at '{where}': {_MAX_ITEMS} at most are allowed.")


def read_comment(request: Request) -> tuple[dict[str, object], str, list[str]]:
    """Return the fields of a request, the comment's text, and the languages that the request names."""
    asked = read_fields(request.data)
    text = _read_text(asked)
    _check_context(asked.get("context"))
    return asked, text, _read_languages(asked)


def _read_text(asked: dict[str, object]) -> str:
    given = asked.get("comment")
    comment = given if isinstance(given, dict) else {}
    text = comment.get("text")
    if text is not None and not isinstance(text, str):
        raise make_error("Invalid value at 'comment.text': a string is expected.")
    if not text or not text.strip():
        raise make_error("Comment must be non-empty.", "COMMENT_EMPTY")
    kind = comment.get("type")
    if kind == "HTML":
        raise make_error("Currently, only 'PLAIN_TEXT' comments are supported")
    if kind not in (None, "TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT"):
        raise make_error("Unknown text type")
    if len(text.encode()) > MAX_BYTES:
        raise make_error("Comment text too long.", "COMMENT_TOO_LONG")
    return text


def _check_context(context: object) -> None:
    if isinstance(context, dict) and context.get("entries") and context.get("articleAndParentComment"):
        raise make_error("Context can have either entries or article_and_parent_comment, but both fields were populated.")


def _read_languages(asked: dict[str, object]) -> list[str]:
    languages = asked.get("languages") or []
    if isinstance(languages, list):
        _count(languages, "languages")
    if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
        raise make_error("Invalid value at 'languages': a list of strings is expected.")
    return languages


def read_requested_attributes(asked: dict[str, object], *, known: Container[str], languages: list[str]) -> dict[str, float]:
    """Return the requested attributes, each with its threshold: the lowest score to answer.

    Perspective's other main attributes are left out if one that is scored is requested too. Any other attribute is refused.

    Parameters
    ----------
    known : container of str
        The labels of the verdict.
    """
    attributes = asked.get("requestedAttributes")
    if not isinstance(attributes, dict) or not attributes:
        raise make_error("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")
    _count(attributes, "requestedAttributes")
    thresholds = {}
    scored = {name for name, label in ATTRIBUTES.items() if label in known}
    unscored = (_UNSCORED | {*ATTRIBUTES}) - scored if scored & {*attributes} else frozenset()
    for name, given in attributes.items():
        if name not in scored:
            if asked.get("dropUnsupportedAttributes") is True or name in unscored:
                continue
            raise make_error(f"Unknown requested attribute: {name}")
        thresholds[name] = _read_threshold(name, given or {})
        _refuse_other_languages(languages, name)
    return thresholds


def _read_threshold(name: str, details: object) -> float:
    if not isinstance(details, dict):
        raise make_error(f"Invalid value at 'requestedAttributes.{name}': an object is expected.")
    if details.get("scoreType") not in _PROBABILITY:
        raise make_error(f"Requested score type {details['scoreType']} is not supported by attribute {name}")
    threshold = details.get("scoreThreshold", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise make_error(f"Invalid value at 'requestedAttributes.{name}.scoreThreshold': a number is expected.")
    return threshold


def _refuse_other_languages(languages: list[str], attribute: str, field: str = "requestedLanguages") -> None:
    """Refuse languages of which none is English. `en-US` and `EN` are English too (RFC 5646)."""
    foreign = [language for language in languages if language.partition("-")[0].lower() != SUPPORTED]
    if languages and len(foreign) == len(languages):
        raise make_error(
            f"Attribute {attribute} does not support request languages: {', '.join(foreign)}",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            {"languageNotSupportedByAttributeError": {field: foreign, "attribute": attribute}},
        )


def refuse_detected_language(language: str, attributes: Iterable[str]) -> None:
    """Refuse a comment in another language than English, as Perspective does if the request names none."""
    for attribute in attributes:
        _refuse_other_languages([language], attribute, "detectedLanguages")


def read_comment_key(asked: dict[str, object]) -> tuple[str, str] | None:
    """Return the community and the client's name for the comment, which identify it; `None` without a name."""
    community, token = _read_name(asked, "communityId"), _read_name(asked, "clientToken")
    return (community, token) if token else None


def _read_name(asked: dict[str, object], field: str) -> str:
    name = asked.get(field, "")
    if not isinstance(name, str):
        raise make_error(f"Invalid value at '{field}': a string is expected.")
    return name


def read_suggestions(asked: dict[str, object], text: str, languages: list[str]) -> list[LabelledText]:
    """Return the suggested labels of the comment's text and of its spans."""
    attributes = asked.get("attributeScores")
    if not isinstance(attributes, dict) or not attributes:
        raise make_error("Missing attribute_scores", "NO_REQUESTED_ATTRIBUTES")
    ends = count_utf16_units(text)
    places = {units: place for place, units in enumerate(ends)}
    rows = []
    for attribute, scores in attributes.items():
        where = f"attributeScores.{attribute}"
        if attribute not in ATTRIBUTES:
            raise make_error(f"Unknown requested attribute: {attribute}")
        _refuse_other_languages(languages, attribute)
        if not isinstance(scores, dict):
            raise make_error(f"Invalid value at '{where}': an object is expected.")
        name, spans = ATTRIBUTES[attribute], scores.get("spanScores") or []
        if not isinstance(spans, list) or not (spans or scores.get("summaryScore")):
            raise make_error(f"Invalid value at '{where}': a summaryScore, spanScores, or both are expected.")
        _count(spans, f"{where}.spanScores")
        if scores.get("summaryScore"):
            rows.append(LabelledText(text, _read_decision(scores["summaryScore"], f"{where}.summaryScore"), name=name))
        for span in spans:
            begin, end = (_find_place(span, side, places) for side in ("begin", "end"))
            if begin is None or end is None or not text[begin:end].strip():
                raise make_error(f"Invalid value at '{where}.spanScores': begin and end are to enclose a part of the text.")
            rows.append(LabelledText(text[begin:end], _read_decision(span.get("score"), f"{where}.spanScores"), name=name))
    check_size([row.text for row in rows])
    return _refuse_contradictions(rows)


def _find_place(span: object, side: str, places: dict[int, int]) -> int | None:
    units = span.get(side) if isinstance(span, dict) else None
    return places.get(units) if type(units) is int else None


def _read_decision(score: object, where: str) -> bool:
    if not isinstance(score, dict) or score.get("type") not in _PROBABILITY:
        raise make_error(f"Invalid value at '{where}': a score of type PROBABILITY is expected.")
    value = score.get("value")
    if isinstance(value, bool) or value not in (0, 1):
        raise make_error(f"Invalid value at '{where}': 0 or 1 is expected, as a moderator decides.")
    return bool(value)


def _refuse_contradictions(rows: list[LabelledText]) -> list[LabelledText]:
    values: dict[tuple[str, str], bool] = {}
    for row in rows:
        key = fingerprint(row.text)
        if values.setdefault((key, row.name), row.value) != row.value:
            raise make_error("Invalid value at 'attributeScores': it says both 0 and 1 of one text.")
    names = {label: attribute for attribute, label in ATTRIBUTES.items()}
    for (key, name), value in values.items():
        for implied in IMPLIES.get(name, ()):
            if value and values.get((key, implied)) is False:
                raise make_error(f"Invalid value at 'attributeScores': {names[name]} means {names[implied]} too.")
    return rows


def count_utf16_units(text: str) -> list[int]:
    """Return the number of UTF-16 units before each place in `text`, including its end."""
    return [0, *accumulate(2 if char > "\uffff" else 1 for char in text)]
