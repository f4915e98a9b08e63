"""Which texts a part of a pass has, in which order and in which form."""

import random
from typing import NamedTuple

from ..text.encoder_form import encoder_form
from .augment import disguise, emoji_of, recombine, swap_identity
from .corpus import Example
from .settings import Settings

# How often a hateful and another text of each source are seen in a pass, on average: contrast pairs more than once, and of large
# sources of similar texts only a share.
_TIMES = {
    "cad": (1.0, 0.4),
    "context_toxicity": (1.0, 0.3),
    "davidson": (0.6, 0.2),
    "dynahate": (0.75, 0.75),
    "edos": (0.6, 0.3),
    "gab": (0.8, 0.2),
    "grammar": (1.0, 1.0),
    "hatemoji_build": (2.0, 2.0),
    "hatexplain": (0.6, 0.5),
    "implicit_hate": (0.2, 0.2),
    "toxic_spans": (0.5, 0.5),
    "toxigen": (0.8, 0.8),
    "wiegand": (2.0, 2.0),
}
# The same for a text without a label: a recombined one.
_TIMES_RECOMBINED = 0.5
# The number of parts of a pass. A checkpoint follows each.
_PARTS = 4


class Drawn(NamedTuple):
    """The texts of a part.

    Attributes
    ----------
    views : list of list of str
        A view has one text for each place. If texts are `paired`, the first view has the texts and the second their copies.
        Otherwise the only view has the copies.
    places : list of int
        The places of their examples.
    is_swapped : list of list of bool
        For each view which texts name another identity than their examples. What those say of targets does not hold for them.
    """

    views: list[list[str]]
    places: list[int]
    is_swapped: list[list[bool]]


def _times(example: Example) -> float:
    """Return how often an example is seen in a pass, on average."""
    if all(value is None for value in example.list_labels()):
        return _TIMES_RECOMBINED
    return _TIMES[example.source][0 if example.hate else 1]


def transfer_set(examples: list[Example], settings: Settings) -> list[Example]:
    """Return the examples of split "fit" that are learned from, and then texts recombined from them.

    The teachers judge all of these, so they are the same in every run. For recombination, a text is drawn in proportion to how
    often it is seen in a pass.
    """
    without = settings.without.split()
    fit = [example for example in examples if example.split == "fit" and example.source not in without]
    if not settings.recombined:
        return fit
    draw = random.Random(0)  # noqa: S311
    faces = emoji_of([example.text for example in fit])
    drawn = [draw.choices(fit, list(map(_times, fit)), k=settings.recombined) for _ in range(2)]
    made = []
    for one, other in zip(*drawn, strict=True):
        made.append(Example(recombine(one.text, other.text, faces, draw), one.source, "fit", None, None))
    return fit + made


def pick(examples: list[Example], settings: Settings, number: int) -> list[int]:
    """Return the places of the examples of part `number`, in random order."""
    draw = random.Random(settings.picked * 1000 + number // _PARTS)  # noqa: S311
    picked = []
    for place, example in enumerate(examples):
        times = _times(example)
        picked += [place] * (int(times) + (draw.random() < times % 1))
    draw.shuffle(picked)
    return picked[number % _PARTS :: _PARTS]


def draw_part(examples: list[Example], settings: Settings, number: int) -> Drawn:
    """Return the texts of part `number`.

    Some copies are altered in ways that do not change whether they are hate. The others differ by dropout alone.
    """
    places = pick(examples, settings, number)
    draw = random.Random(settings.seed * 1000 + number + 250)  # noqa: S311
    texts, copies, is_swapped = [], [], []
    for place in places:
        text = copy = examples[place].text
        if draw.random() < settings.swapped:
            copy = swap_identity(copy, draw)
        is_swapped.append(copy != text)
        if draw.random() < settings.disguised:
            copy = disguise(copy, draw)
        copies.append(encoder_form(copy, restore=draw.random() >= settings.unrestored).text)
        if settings.paired:
            texts.append(encoder_form(text).text)
    if settings.paired:
        return Drawn([texts, copies], places, [[False] * len(places), is_swapped])
    return Drawn([copies], places, [is_swapped])


def batches(lengths: list[int], settings: Settings, number: int) -> list[list[int]]:
    """Return the places of each batch. The texts of a batch have similar lengths; the batches come in random order."""
    draw = random.Random(settings.seed * 1000 + number + 500)  # noqa: S311
    size = settings.batch
    chunks = [range(at, min(at + size * 50, len(lengths))) for at in range(0, len(lengths), size * 50)]
    grouped = []
    for chunk in chunks:
        places = sorted(chunk, key=lengths.__getitem__)
        grouped += [places[at : at + size] for at in range(0, len(places), size)]
    draw.shuffle(grouped)
    return grouped
