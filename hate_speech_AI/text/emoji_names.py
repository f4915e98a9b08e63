"""Read emoji: as letters where they stand for some, else by their English names."""

import re
from collections.abc import Iterator
from functools import cache

from .aligned import Edit
from .word_table import load_word_table

# Letters and words in a box. At a letter these are letters; alone they have names.
_BOXED = {
    "🆎": "ab", "🆑": "cl", "🆒": "cool", "🆓": "free", "🆔": "id", "🆕": "new", "🆖": "ng", "🆗": "ok", "🆘": "sos", "🆙": "up",
    "🆚": "vs", "Ⓜ": "m", "ℹ": "i",
}  # fmt: skip
# Signs that look like a letter. They count as one between letters only.
_SIGNS = {"⭕": "o", "❌": "x", "✖": "x", "❗": "i", "❕": "i", "✝": "t", "➕": "t", "💲": "s", "©": "c", "®": "r"}
_LETTERS = {**_BOXED, **_SIGNS}
_BOX, _SIGN = (f"[{''.join(some)}]\ufe0f?" for some in (_BOXED, _SIGNS))
_AT_LETTERS = f"(?<=[A-Za-z])(?:{_BOX}|{_SIGN}(?=[A-Za-z]))|{_BOX}(?=[A-Za-z])"
# Letters in brackets, "⒡⒪⒢". One alone numbers a list.
_BRACKETED = "[\u249c-\u24b5\U0001f110-\U0001f129]{2,}+"
# Letters of which a pair is a flag.
_INDICATORS = "[\U0001f1e6-\U0001f1ff]++"
_LETTER_EMOJI = re.compile(f"{_AT_LETTERS}|{_BRACKETED}|{_INDICATORS}")
_ALPHABETS = ("\U0001f1e6", "\U0001f110", "\u249c")  # where each begins


def find_letters(text: str) -> Iterator[Edit]:
    """Yield (start, end, letters) of each emoji in `text` that stands for letters."""
    for found in _LETTER_EMOJI.finditer(text):
        start, run = found.start(), found.group()
        if letters := _LETTERS.get(run[0]):
            yield start, found.end(), letters
            continue
        first = next(first for first in _ALPHABETS if run[0] >= first)
        word = "".join(chr(ord("a") + ord(char) - ord(first)) for char in run)
        around = text[start - 1 : start] + text[found.end() : found.end() + 1]
        if first != _ALPHABETS[0] or not _are_flags(run, word, around):
            yield from ((at, at + 1, letter) for at, letter in enumerate(word, start))


def _are_flags(run: str, word: str, around: str) -> bool:
    """Return whether indicators are flags. They are letters if one is left over, inside a word, or if they spell a word."""
    names = _load_emoji()[1]
    pairs = [run[at : at + 2] for at in range(0, len(run), 2)]
    is_inside = len(around) == 2 and around.isascii() and around.isalpha()
    return all(pair in names for pair in pairs) and not is_inside and not (len(pairs) > 1 and load_word_table().is_frequent(word))


@cache
def _load_emoji() -> tuple[re.Pattern[str], dict[str, str], int]:
    """Return a pattern of the first characters of emoji, the English names, and the length of the longest emoji."""
    from emoji import EMOJI_DATA  # not at the top: the linear engine does not need this table

    names = {
        emoji: " " + entry["en"].strip(":").replace("_", " ").replace("-", " ").lower() + " "
        for emoji, entry in EMOJI_DATA.items()
        if not emoji[0].isascii() and emoji[0] not in "🅰🅱🅾🅿"
    }
    # In ranges, since `re` compares a character with one after the other.
    codes = {ord(emoji[0]) for emoji in names}
    begins = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    first_characters = "".join(f"{chr(begin)}-{chr(end)}" for begin, end in zip(begins, ends, strict=True))
    return re.compile(f"[{first_characters}]"), names, max(map(len, names))


def spell_emoji(text: str) -> Iterator[Edit]:
    """Yield (start, end, name) of the emoji in `text`. A repeated emoji counts once."""
    first_characters, names, longest = _load_emoji()
    at = 0
    found: Edit | None = None
    while match := first_characters.search(text, at):
        start = match.start()
        window = text[start : start + longest]
        length = next((n for n in range(len(window), 0, -1) if window[:n] in names), 0)
        at = start + (length or 1)
        if not length:
            continue
        name = names[text[start:at]]
        if found and found[1] == start and found[2] == name:
            found = found[0], at, name
            continue
        if found:
            yield found
        found = start, at, name
    if found:
        yield found
