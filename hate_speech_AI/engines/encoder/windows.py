"""Texts as windows of tokens, which the encoder reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Floats, Places
from ...budget import Budget, split_texts
from ...text.aligned import Aligned
from ...text.encoder_form import encoder_form
from .suspicion import Bounds, Suspicion

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# How many windows of a text are read: 2,700 tokens, or 10,000 characters of English.
MAX_WINDOWS = 64
# So many characters are tokenised before they are counted. A request over its budget is refused after few of them.
_CHARACTERS_AT_ONCE = 16_384
CLS, SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that the encoder reads at once.

    Attributes
    ----------
    ids : list of int
        Token ids, with the special ones at both ends.
    spans : list of (int, int)
        The characters in the encoder form of each token but the special ones.
    words : list of int or None
        The number of the word of each token but the special ones; `None` if the tokenizer assigns it to no word.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    words: list[int | None]


class Reader:
    """Turns texts into windows.

    Parameters
    ----------
    tokenizer : Tokenizer
    window : int
        The tokens of a window, the special ones at both ends included.
    overlap : int
        How many tokens two neighbours share.
    """

    def __init__(self, tokenizer: "Tokenizer", window: int, overlap: int):
        self._tokenizer, self._window, self._overlap = tokenizer, window, overlap
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def read_ids(self, texts: list[str], budget: Budget) -> Iterator[tuple[list[list[int]], bool]]:
        """Yield the token ids of the windows of each text, and whether a part of it is left out."""
        for some in split_texts(texts, _CHARACTERS_AT_ONCE):
            budget.check()
            forms = [encoder_form(text) for text in some]
            if len(forms) == 1:  # a batch of one would wake the tokenizer's threads
                encodings = [self._tokenizer.encode(forms[0].text, add_special_tokens=False)]
            else:
                encodings = self._tokenizer.encode_batch_fast([form.text for form in forms], add_special_tokens=False)
            for form, encoding in zip(forms, encodings, strict=True):
                ids: list[int] = encoding.ids
                budget.spend(len(ids) + 2)
                bounds, is_truncated = self._find_bounds(ids)
                yield [ids[first:last] for first, last in bounds], is_truncated or form.is_cut

    def read(self, text: str, budget: Budget | None = None) -> tuple[Aligned, list[Window], bool]:
        """Return the encoder form of `text`, its windows, and whether a part of it is left out."""
        budget = budget or Budget()
        budget.check()
        form = encoder_form(text)
        encoding = self._tokenizer.encode(form.text, add_special_tokens=False)
        # Each of these is a new list whenever it is asked for.
        ids, spans, words = encoding.ids, encoding.offsets, encoding.word_ids
        budget.spend(len(ids) + 2)
        bounds, is_truncated = self._find_bounds(ids)
        windows = [Window([CLS, *ids[first:last], SEP], spans[first:last], words[first:last]) for first, last in bounds]
        return form, windows, is_truncated or form.is_cut

    def _find_bounds(self, ids: list[int]) -> tuple[Bounds, bool]:
        """Return where each window of a text begins and ends that is to be read, and whether others are left out.

        The last window is as long as the others.
        """
        width, count = self._window - 2, len(ids)
        if count <= width:
            return [(0, count)], False
        bounds = [(start, start + width) for start in range(0, count - width, width - self._overlap)]
        bounds.append((count - width, count))
        if len(bounds) <= MAX_WINDOWS:
            return bounds, False
        return self._suspicion.choose(ids, bounds, MAX_WINDOWS), True

    @cached_property
    def _suspicion(self) -> Suspicion:
        def tokenise(text: str) -> list[int]:
            ids: list[int] = self._tokenizer.encode(encoder_form(text).text, add_special_tokens=False).ids
            return ids

        return Suspicion(tokenise, self._tokenizer.get_vocab_size())


def pick_windows(probabilities: Floats, starts: Places) -> Places:
    """Return the place of the window with the highest probability for each text, the first of equals."""
    ends = np.append(starts, len(probabilities))[1:]
    return np.array([start + int(np.argmax(probabilities[start:end])) for start, end in zip(starts, ends, strict=True)], np.intp)
