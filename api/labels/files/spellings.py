"""How people spell that a text carries a label, or that it does not."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

# From the labels of a row to whether they mean hate. Raises `ValueError` if they say neither, or both.
Meaning = Callable[[tuple[str, ...]], bool]

_YES, _NO = {"true", "t", "yes", "y"}, {"false", "f", "no", "n"}
_HATE = {"hate", "hateful", "hate speech", "hatespeech", "is hate"}
_NOT_HATE = {"normal", "neither", "not hate", "not hateful", "not hate speech", "not hatespeech"}
_NOT = re.compile(r"^(?:non|no|not)[ _-]*(?=hat)")


def list_labels(value: Any) -> tuple[str, ...]:
    """Return the labels that a field holds: one, doccano's "a#b" or list, or Label Studio's choices. Empty if there is none."""
    if isinstance(value, str):
        return _split_labels(value.strip())
    if isinstance(value, dict):
        return list_labels(value.get("choices"))
    if hasattr(value, "tolist"):  # of NumPy, in Parquet
        value = value.tolist()
    if isinstance(value, list):
        return tuple(label for one in value for label in list_labels(one))
    # What is unequal to itself is how pandas spells that there is nothing.
    return () if value is None or value != value else (str(value),)  # noqa: PLR0124


@lru_cache(1000)
def _split_labels(text: str) -> tuple[str, ...]:
    if text.startswith(("{", "[")):
        try:
            return list_labels(json.loads(text))
        except (ValueError, RecursionError):
            pass
    return tuple(label for part in text.split("#") if (label := part.strip()))


def read_answer(spelling: str) -> bool | None:
    """Return whether a spelling says yes or no, as a word or as 1 or 0; `None` if it says neither."""
    try:
        return {1.0: True, 0.0: False}.get(float(spelling))
    except ValueError:
        word = spelling.casefold().strip()
        return True if word in _YES else False if word in _NO else None


def read_spelling(label: str) -> bool | None:
    """Return whether a label means hate, as most people spell it; `None` if it is none of these spellings."""
    answer = read_answer(label)
    if answer is not None:
        return answer
    words = _NOT.sub("not ", " ".join(label.casefold().split()))
    words = re.sub(r"(?<=\w)[_-](?=\w)", " ", words)
    return True if words in _HATE else False if words in _NOT_HATE else None


def make_meaning(*, hate_values: Collection[str] = (), labels: Mapping[str, bool] | None = None) -> Meaning:
    """Return what the labels of a row mean. See `read_tweets`."""
    named = {" ".join(label.casefold().split()): value for label, value in (labels or {}).items()}

    def read_label(label: str) -> bool | None:
        if hate_values:
            return label in hate_values
        value = named.get(" ".join(label.casefold().split()))
        return read_spelling(label) if value is None else value

    @lru_cache(1000)
    def read(said: tuple[str, ...]) -> bool:
        values = {read_label(label) for label in said}
        if not values:
            raise ValueError("no label")
        if hate_values:
            return True in values
        if True in values and False in values:
            raise ValueError("labels that contradict each other")
        # A text may be hate and more. What is said beside "not hate" might still mean hate.
        if True not in values and None in values:
            raise ValueError("unknown label")
        return True in values

    return read
