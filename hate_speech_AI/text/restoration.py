"""Restore English words that are disguised by their letters or blanks. A word of the word table is never changed."""

import re
from collections.abc import Iterator
from itertools import accumulate
from string import ascii_lowercase
from typing import NamedTuple

from .aligned import Aligned
from .spelling import part_words, read_figures, read_letters, read_stars
from .word_table import WordTable, load_word_table

Edit = tuple[int, int, str]

# After an apostrophe, the end of a contraction is no word.
_WORD = re.compile(r"(?<![^\W_])(?:(?<!['’])|(?=[A-Za-z]{3}))[A-Za-z]++(?![^\W_])")
_CONTRACTED = re.compile(r"(?:re|ll|ve|[tsmd])(?=[a-z]{3})")
# Figures or signs among letters: "d!rty", but not "dirty!".
_FIGURE = re.compile(r"[\d@$|!+]")
_FIGURES = re.compile(
    r"(?<![\w@$|!+])(?=[A-Za-z]*+[\d@$|!+]++[A-Za-z\d$])[A-Za-z\d$|!+][A-Za-z\d@$|!+]{2,22}(?<![!+|@])(?![\w@$|+])"
)
# Stars among letters. No more than two in a row, as those that frame a word.
_STARS = re.compile(r"(?<![^\W_])(?<!\*)[A-Za-z]++(?:\*{1,2}[A-Za-z]++)++(?![^\W_]|\*)")
_SEPARATORS = frozenset(" .-_*")
_AFTER_TAG = "# "
_MID_SENTENCE = frozenset(f"{letter} " for letter in ascii_lowercase + ",")

# How many times as often the whole must be written as its fragments would stand side by side by chance.
_JOIN_RATIO = 1e4
_FEWEST_LETTERS_OF_RUN = 4
_ABBREVIATION = 4  # so many capitals and fewer are most likely one


class _Word(NamedTuple):
    """A word: where it is, how it is written, that in small letters, and the two characters before it."""

    start: int
    end: int
    written: str
    letters: str
    before: str


def restore_figures(form: Aligned) -> None:
    """Turn the figures and signs in a word into letters if that makes a frequent word."""
    if _FIGURE.search(form.text):
        found = ((found.span(), read_figures(found.group().lower())) for found in _FIGURES.finditer(form.text))
        form.edit((*span, word) for span, word in found if word)


def restore_words(form: Aligned) -> None:
    """Restore the disguised words of a form in place.

    1. Stars become the vowels that they stand for.
    2. The fragments of a word are joined.
    3. A word that the table does not know is one with letters missing, swapped or doubled, or several that run together.
    """
    table = load_word_table()
    if "*" in form.text:
        found = ((found.span(), read_stars(found.group().lower())) for found in _STARS.finditer(form.text))
        form.edit((*span, word) for span, word in found if word)
    if table.common.issuperset(_WORD.findall(form.text.lower())):
        return
    words = _find_words(form.text)
    if separators := list(_join_fragments(words, table)):
        form.edit(separators)
        words = _find_words(form.text)
    form.edit_within_bounds(edit for word in words if word.letters not in table.counts for edit in _read_unknown(word, table))


def _find_words(text: str) -> list[_Word]:
    return [
        _Word(start, end, text[start:end], text[start:end].lower(), text[max(0, start - 2) : start])
        for start, end in (found.span() for found in _WORD.finditer(text))
    ]


def _join_fragments(words: list[_Word], table: WordTable) -> Iterator[Edit]:
    """Yield the separators between the fragments of each word, to be deleted."""
    free = 0
    for at, word in enumerate(words):
        if word.letters in table.common:
            continue
        for first, last in ((at - 1, at + 2), (at, at + 3), (at - 2, at + 1), (at - 1, at + 1), (at, at + 2)):
            if first >= free and last <= len(words) and _are_fragments(words[first:last], table):
                yield from ((other.start - 1, other.start, "") for other in words[first + 1 : last])
                free = last
                break


def _are_fragments(some: list[_Word], table: WordTable) -> bool:
    whole = "".join([word.letters for word in some])
    if not table.is_frequent(whole):
        return False
    separators = {word.before[-1:] for word in some[1:]}
    # Each is a single character.
    if some[-1].end - some[0].start != len(whole) + len(some) - 1 or len(separators) > 1 or not separators <= _SEPARATORS:
        return False
    ratio = table.counts[whole] / table.total
    for word in some:
        ratio *= table.total / max(table.counts.get(word.letters, 0), 0.5)
    return ratio >= _JOIN_RATIO and table.count_pieces(whole) < sum(table.count_pieces(word.letters) for word in some)


def _read_unknown(word: _Word, table: WordTable) -> Iterator[Edit]:
    """Yield what is to be edited of a word that the table does not know."""
    is_name = word.written.istitle() and word.before in _MID_SENTENCE
    is_short = len(word.letters) <= _ABBREVIATION and word.written.isupper()
    read = None if is_short else read_letters(word.letters)
    if read and (not is_name or read in table.names):
        yield word.start, word.end, read
    elif len(word.letters) >= _FEWEST_LETTERS_OF_RUN and not is_name:
        yield from _part(word)


def _part(word: _Word) -> Iterator[Edit]:
    """Yield the last letter of each word of a run but the last, with a blank after it."""
    tail = _CONTRACTED.match(word.letters) if word.before[:1].isalpha() and word.before[1:] in ("'", "’") else None
    skipped = tail.end() if tail else 0
    parts = part_words(word.letters[skipped:], is_tag=word.before == _AFTER_TAG)
    for at in accumulate(map(len, parts[:-1]), initial=skipped):
        if at:
            yield word.start + at - 1, word.start + at, word.written[at - 1] + " "
