"""The words that people write, with their counts, and the pieces of the tokenizer."""

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).parents[1] / "data" / "word_table.json"

VOWELS = frozenset("aeiou")
# A rarer word is no reading of another, by its length. Short ones are too easily like another.
_FEWEST_TEXTS = (10**9, 10**9, 10**9, 1000, 50, 20, 20, 6)
_COMMON = 100
_LONGEST_PIECE = 18


class WordTable(NamedTuple):
    """The table that `recipe.word_table` makes.

    Attributes
    ----------
    counts : dict of str to int
        In how many of 100,000 texts each word is; 0 for words that only the tokenizer knows.
    total : int
        The sum of the counts.
    common : frozenset of str
        The words in many texts: none is a fragment of another word.
    whole, continuations : frozenset of str
        The pieces of the tokenizer: those that begin a word, and those that continue one.
    names : frozenset of str
        The words that are mostly written with a capital.
    skeletons : dict of str to list of str
        The frequent words by what `find_skeleton` leaves of them.
    """

    counts: dict[str, int]
    total: int
    common: frozenset[str]
    whole: frozenset[str]
    continuations: frozenset[str]
    names: frozenset[str]
    skeletons: dict[str, list[str]]

    def is_frequent(self, word: str) -> bool:
        """Return whether a disguised word may be this one: it is written often for its length."""
        return self.counts.get(word, 0) >= _FEWEST_TEXTS[min(len(word), len(_FEWEST_TEXTS) - 1)]

    def count_pieces(self, word: str) -> int:
        """Return in how many pieces the tokenizer (WordPiece) cuts a word of small letters."""
        if word in self.whole:
            return 1
        n, start = 0, 0
        while start < len(word):
            known = self.continuations if start else self.whole
            end = min(len(word), start + _LONGEST_PIECE)
            while word[start:end] not in known:  # every letter is a piece
                end -= 1
            n, start = n + 1, end
        return n


def find_skeleton(word: str) -> str:
    """Return the first letter of a word and its consonants."""
    return word[:1] + "".join(letter for letter in word[1:] if letter not in VOWELS)


@cache
def load_word_table() -> WordTable:
    """Return the table. It is read once a process."""
    read = json.loads(PATH.read_text("utf-8"))
    skeletons: defaultdict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = {**read["whole"], **read["parted"]}
    for word, n in counts.items():
        if n >= _FEWEST_TEXTS[-1] and len(word) >= 4:
            skeletons[find_skeleton(word)].append(word)
    pieces = frozenset(read["whole"]), frozenset(read["continuations"].split())
    common = frozenset(word for word, n in counts.items() if n >= _COMMON and (len(word) > 1 or word in "ai"))
    return WordTable(counts, sum(counts.values()), common, *pieces, frozenset(read["names"].split()), dict(skeletons))
