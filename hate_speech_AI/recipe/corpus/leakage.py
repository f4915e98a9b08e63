"""What keeps texts that measure out of those that are learned from."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...text import fingerprint
from .example import Example
from .near_copies import raise_ranks
from .readers import write_breaks

HELD_OUT = "held_out/fingerprints.txt"
_KEY_DIGITS = 16  # hex digits of a digest in the list of held-out texts
_LETTERS = 12  # with fewer letters and figures, too many texts have the same
_STRICTER = ("fit", "head", "test")  # each split is stricter than those before it


def read_held_out(folder: Path) -> frozenset[str]:
    """Read the keys of the texts that are kept for measuring elsewhere."""
    return frozenset((folder / HELD_OUT).read_text("ascii").split())


def list_keys(text: str) -> list[str]:
    """Return the keys of a text in the list of held-out texts: one of the text, and one of its letters and figures."""
    keys = [fingerprint(text)]
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    if len(letters) >= _LETTERS:
        keys.append(hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest())
    return [key[:_KEY_DIGITS] for key in keys]


def is_held_out(text: str, held_out: frozenset[str]) -> bool:
    """Return whether a text is in the list, as it is or with the line breaks that a source writes out."""
    return not held_out.isdisjoint(list_keys(text)) or ("\n" in text and not held_out.isdisjoint(list_keys(write_breaks(text))))


def separate(examples: Iterable[Example], held_out: frozenset[str], dropped: Counter[str]) -> list[Example]:
    """Return the examples that may stay on their side, one for each text, in their order.

    1. A text that is held out goes.
    2. A text of split "test" is in no other split, and one of split "head" is not in "fit". Of equal texts the first stays.
    3. A near copy of a text of split "test" is in no other split, and one of split "head" is not in "fit".

    Parameters
    ----------
    dropped : Counter
        The examples that go are counted in it, by source and reason.
    """
    kept = _drop_equal(_drop_held_out(examples, held_out, dropped), dropped)
    ranks = np.array([_STRICTER.index(example.split) for example in kept])
    raised = raise_ranks([example.text for example in kept], ranks)
    for at in np.flatnonzero(raised > ranks):
        dropped[f"{kept[at].source} near {_STRICTER[raised[at]]}"] += 1
    return [kept[at] for at in np.flatnonzero(raised == ranks)]


def _drop_held_out(examples: Iterable[Example], held_out: frozenset[str], dropped: Counter[str]) -> Iterator[Example]:
    for example in examples:
        if is_held_out(example.text, held_out):
            dropped[f"{example.source} held out"] += 1
        else:
            yield example


def _drop_equal(examples: Iterable[Example], dropped: Counter[str]) -> list[Example]:
    keyed = [(fingerprint(example.text), example) for example in examples]
    split_of = {key: split for split in _STRICTER for key, example in keyed if example.split == split}
    kept: dict[str, Example] = {}
    for key, example in keyed:
        if example.split != split_of[key]:
            dropped[f"{example.source} in {split_of[key]}"] += 1
        elif key in kept:
            dropped[f"{example.source} repeated"] += 1
        else:
            kept[key] = example
    return list(kept.values())
