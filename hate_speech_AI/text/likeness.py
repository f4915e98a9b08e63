"""The likeness, which tells which texts read the same to people."""

import hashlib
import re
from unicodedata import category

from .normalisation import normalise, normalise_unicode

_FEWEST_CHARACTERS = 12
# The characters that Unicode lets a program ignore: nobody sees them.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_ASCII_WORDS = re.compile("[a-z0-9]+")


def compute_likeness(text: str) -> str | None:
    """Return the likeness of `text`: a sha256, in hex, over its words. Return `None` if they are too short to tell texts apart.

    Words are runs of letters, figures and emoji, NFKC and casefolded, without invisible characters. So no word can be added, left
    out or changed: "not" stays, and so does the gap that tells "the rapist" from "therapist". Punctuation, case and markup do not
    count. How markup is undone may change with the reading form; all else never changes.
    """
    if "<" in text or "&" in text:
        text = normalise(text)
    if not text.isascii():
        text = normalise_unicode("NFKC", _IGNORABLE.sub("", text))
    text = text.casefold()
    words = _ASCII_WORDS.findall(text) if text.isascii() else "".join(map(_write, text)).split()
    if sum(map(len, words)) < _FEWEST_CHARACTERS:
        return None
    # The line break keeps it apart from every fingerprint, which is the sha256 of a single line.
    return hashlib.sha256(("\n" + " ".join(words)).encode("utf-8")).hexdigest()


def _write(char: str) -> str:
    """Return a letter or its mark, or a figure; an emoji as a word of its own; of any other character a blank."""
    kind = category(char)
    if kind[0] in "LMN":
        return char
    # A character that Unicode has yet to name will mostly be an emoji.
    return f" {char} " if (kind[0] == "S" and not char.isascii()) or kind == "Cn" else " "
