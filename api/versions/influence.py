"""Which reviews moved a verdict, for people who review."""

from collections.abc import Iterator
from itertools import islice

from hate_speech_AI.engines.reasons import Influence

from ..labels.models import Label
from ..labels.selectors import find_learned_reviews

# So many are looked up at once, and in all: a fifth is held out, so the first page mostly suffices.
_PAGE = 50
_MOST = 1000


def find_influential_reviews(influence: Influence, limit: int) -> list[tuple[float, Label]]:
    """Return the reviews with the strongest effects, and their effects on the logit."""
    return list(islice(_list_reviews(influence), limit))


def _list_reviews(influence: Influence) -> Iterator[tuple[float, Label]]:
    halves = [f"{upper:016x}{lower:016x}" for upper, lower in influence.keys[:_MOST].tolist()]
    labels, effects = influence.labels[:_MOST].tolist(), influence.effects[:_MOST].tolist()
    for at in range(0, len(halves), _PAGE):
        page = slice(at, at + _PAGE)
        found = find_learned_reviews(dict(zip(halves[page], labels[page], strict=True)))
        for half, effect in zip(halves[page], effects[page], strict=True):
            if half in found:
                yield effect, found[half]
