"""The fingerprint, which tells which texts are the same, and the normal form, from which other forms are made."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Literal

from .markup import ENTITY, undo_entity, undo_markup

# UTF-8 that was decoded as Latin-1. Sequences of three and four bytes hardly occur in real Latin-1 text. Pairs do: German "Spaß»"
# ends in one. So only pairs that begin with "Â" or "Ã" count.
MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|[\u00e0-\u00ef][\u0080-\u00bf]{2}|[\u00f0-\u00f4][\u0080-\u00bf]{3}")

# Runs of marks that are shorter than twice this are left to `unicodedata`.
_SHORT_RUN = 32


def fingerprint(text: str) -> str:
    """Return the fingerprint of `text`: the sha256, in hex, of its NFKC, casefolded, white-space-collapsed form."""
    same = " ".join(normalise_unicode("NFKC", text).casefold().split())
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()


def cut_key(digest: str, half: int = 0) -> int:
    """Return 64 bits of a digest as a number, the key of a text in arrays of uint64.

    Parameters
    ----------
    digest : str
        A fingerprint, or another digest in hex of at least 32 digits.
    half : int
        0 for the first 64 bits, 1 for the next. The first suffice to tell some hundred thousand texts apart. Where somebody
        could gain by a text that is taken for another, take both.
    """
    digits = 16  # of 4 bits each
    return int(digest[half * digits : (half + 1) * digits], 16)


def normalise_unicode(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """Return `unicodedata.normalize(form, text)`, whatever the text, in linear time.

    `unicodedata` sorts each run of combining marks by insertion, in quadratic time. So long runs are sorted here before. The
    sort is stable, so the text stays equivalent, and the result is the same.
    """
    # Any longer run has a mark at one of these places.
    if not text.isascii() and any(map(_is_mark, text[::_SHORT_RUN])):
        text = "".join(_sort_marks(run) if is_mark else "".join(run) for is_mark, run in groupby(text, _is_mark))
    return unicodedata.normalize(form, text)


def _is_mark(char: str) -> bool:
    """Return whether a character is a combining mark, or decomposes into some. Its own class alone does not tell."""
    return unicodedata.combining(unicodedata.normalize("NFKD", char)[0]) > 0


def _sort_marks(run: Iterable[str]) -> str:
    """Return the decomposed marks of a run in canonical order."""
    marks = "".join(unicodedata.normalize("NFKD", char) for char in run)
    return "".join(sorted(marks, key=unicodedata.combining))


def undo_mojibake(match: re.Match[str]) -> str:
    """Decode a match of `MOJIBAKE` as UTF-8. Return it unchanged if it is no UTF-8."""
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def normalise(text: str) -> str:
    """Return `text` with markup undone, and entities and mojibake decoded."""
    if "<" in text:
        text = undo_markup(text).text
    if "&" in text:
        text = ENTITY.sub(undo_entity, text)
    if not text.isascii():
        text = MOJIBAKE.sub(undo_mojibake, text)
    return text
