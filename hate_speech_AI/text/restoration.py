"""Restore English words that are disguised by their letters or blanks. A word of the word table is never changed."""

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from string import ascii_lowercase

from .aligned import Aligned, Edit
from .spelling import LONG, part_words, read_figures, read_letters, read_stars
from .word_table import WordTable, load_word_table

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
_APOSTROPHES = ("'", "’")
_AFTER_TAG = "# "
_MID_SENTENCE = frozenset(f"{letter} " for letter in ascii_lowercase + ",")

# How many times as often the whole must be written as its fragments would stand side by side by chance.
_JOIN_RATIO = 1e4
_FEWEST_LETTERS_OF_RUN = 4
# A text of other words is of another language.
_FEWEST_WORDS, _ENGLISH_SHARE = 4, 0.3
_ABBREVIATION = 4  # so many capitals and fewer are most likely one


class _Words:
    """The words of a text, and where they are.

    Attributes
    ----------
    letters : list of str
        The words, in small letters.
    odd : list of int
        The places of those that may be fragments or unknown.
    """

    def __init__(self, text: str, table: WordTable):
        self._text, self._table = text, table
        self._spans = [found.span() for found in _WORD.finditer(text)]
        self.letters = [text[start:end].lower() for start, end in self._spans]
        self.odd = [at for at, word in enumerate(self.letters) if word not in table.common]

    def are_english(self) -> bool:
        """Return whether the words may be English. Those that may be several run together do not tell."""
        some = [word in self._table.common for word in self.letters if len(word) < LONG]
        return len(some) < _FEWEST_WORDS or sum(some) >= _ENGLISH_SHARE * len(some)

    def join_fragments(self) -> Iterator[Edit]:
        """Yield the separators between the fragments of each word, to be deleted."""
        free = 0
        for at in self.odd:
            for first, last in ((at - 1, at + 2), (at, at + 3), (at - 2, at + 1), (at - 1, at + 1), (at, at + 2)):
                if first >= free and last <= len(self.letters) and self._are_fragments(first, last):
                    yield from ((start - 1, start, "") for start, _ in self._spans[first + 1 : last])
                    free = last
                    break

    def _are_fragments(self, first: int, last: int) -> bool:
        table, some = self._table, self.letters[first:last]
        whole = "".join(some)
        if not table.is_frequent(whole):
            return False
        separators = {self._text[one[1] : other[0]] for one, other in pairwise(self._spans[first:last])}
        if len(separators) > 1 or not separators <= _SEPARATORS:
            return False
        ratio = table.counts[whole] / table.total
        for word in some:
            ratio *= table.total / max(table.counts.get(word, 0), 0.5)
        return ratio >= _JOIN_RATIO and table.count_pieces(whole) < sum(map(table.count_pieces, some))

    def read_unknown(self, *, are_english: bool) -> Iterator[Edit]:
        """Yield what is to be edited of the words that the table does not know. If they are not English, only part them."""
        for at in self.odd:
            if (word := self.letters[at]) in self._table.counts:
                continue
            start, end = self._spans[at]
            written = self._text[start:end]
            parts = self._read_word(word, written, self._text[max(0, start - 2) : start], are_english)
            if len(parts) > 1:
                gaps = accumulate(map(len, parts[:-1]))
                yield from ((start + gap - 1, start + gap, f"{written[gap - 1]} ") for gap in gaps)
            elif parts[0] != word:
                yield start, end, parts[0]

    def _read_word(self, word: str, written: str, before: str, are_english: bool) -> list[str]:
        """Return the word that is meant, or the words that run together. `before` are the two characters before it."""
        table = self._table
        if (tail := _CONTRACTED.match(word)) and before[:1].isalpha() and before[1:] in _APOSTROPHES:
            rest = word[tail.end() :]
            parts = [rest] if rest in table.counts else part_words(rest)
            if len(parts) > 1 or rest in table.counts:
                return [tail.group(), *parts]
        is_name = before in _MID_SENTENCE and written.istitle() and len(word) < LONG
        is_abbreviation = len(word) <= _ABBREVIATION and written.isupper()
        read = read_letters(word) if are_english and not is_abbreviation else None
        if read and (not is_name or read in table.names):
            return [read]
        return [word] if is_name or len(word) < _FEWEST_LETTERS_OF_RUN else part_words(word, is_tag=before == _AFTER_TAG)


def join_letters(run: str) -> str:
    """Return the word of letters that stood apart, with a blank after "a" or "I" if that is another word."""
    counts, word = load_word_table().counts, run.lower()
    return f"{run[0]} {run[1:]}" if word[0] in "ai" and word[1:] in counts and word not in counts else run


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
    words = _Words(form.text, table)
    if not words.odd:
        return
    are_english = words.are_english()
    if are_english and (separators := list(words.join_fragments())):
        form.edit(separators)
        words = _Words(form.text, table)
    form.edit_within_bounds(words.read_unknown(are_english=are_english))
