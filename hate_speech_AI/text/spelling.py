"""Tell which English word a disguised one is, or which words run together in it. All words here are in small letters."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import inf, log, prod
from string import ascii_lowercase

from .word_table import VOWELS, WordTable, find_skeleton, load_word_table

# How long words are whose letters are restored.
LENGTHS = range(3, 19)
# How many times as often a word must be written as any other that may be meant.
_CLEAR = 3.0
# Of a table word and one of these a new word is made. It is not misspelt.
_ENDINGS = ("s", "es", "ed", "d", "er", "r", "ers", "rs", "ing", "ly", "y")
_FIGURES = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "|": "li",
    "!": "i", "+": "t", "v": "vu",
}  # fmt: skip
_MOST_READINGS = 16

# Of a word between others that run together with it: in how many texts it must be, by its length.
_FEWEST_OF_PART = (1, 15_000, 2_500, 60, 10, *(3,) * 12)
_FEWEST_AFTER_A = 200  # "a" and a rarer word are most likely a word of Greek: "amoral"
_PREFIXES = {
    "anti", "dis", "extra", "hyper", "in", "inter", "mid", "mis", "multi", "non", "out", "over", "post", "pre", "pro", "re",
    "semi", "sub", "super", "ultra", "un", "under", "up",
}  # fmt: skip
_LONGEST_PART = len(_FEWEST_OF_PART) - 1
LONG = 15  # nobody writes longer words but by running others together
# The cost of parts is -log of how often each is written. It may be so high.
_MOST, _MOST_PER_LETTER, _MOST_PER_LETTER_OF_LONG = 5.0, 1.6, 2.1
_COST_OF_UNKNOWN, _COST_OF_UNKNOWN_LETTER = 9.0, 2.5


def read_figures(word: str) -> str | None:
    """Return the word that is meant by one with figures or signs among its letters; `None` if there is none."""
    table = load_word_table()
    if word[:2].isdecimal():  # "700k"
        return None
    choices = [_FIGURES.get(char, char) for char in word]
    if prod(map(len, choices)) > _MOST_READINGS:
        return None
    fitting = [one for one in map("".join, product(*choices)) if table.is_frequent(one)]
    return max(fitting, key=table.counts.__getitem__, default=None)


def read_stars(word: str) -> str | None:
    """Return the word that is meant by one with a star for some of its vowels; `None` if there is none."""
    table = load_word_table()
    letters = word.replace("*", "")
    if len(word) not in LENGTHS:
        return None
    vowels = re.compile(word.replace("*", "[aeiou]"))
    fitting = [one for one in table.skeletons.get(find_skeleton(letters), ()) if vowels.fullmatch(one)]
    return max(fitting, key=table.counts.__getitem__, default=None)


@lru_cache(maxsize=16_384)
def read_letters(word: str) -> str | None:
    """Return the word that is meant by an unknown one with letters missing, swapped or doubled; `None` if that is not clear."""
    table = load_word_table()
    if len(word) not in LENGTHS or (len(word) == 3 and not VOWELS.isdisjoint(word)) or _is_derived(word, table):
        return None
    found: dict[str, float] = {}
    for one, weight in _guess(word, table):
        if one in table.counts and table.is_frequent(one):
            found[one] = max(found.get(one, 0), table.counts[one] * weight)
    if not found:
        return None
    best = max(found, key=found.__getitem__)
    is_clear = all(found[best] >= _CLEAR * count for one, count in found.items() if one != best)
    return best if is_clear and table.count_pieces(best) < table.count_pieces(word) else None


def _is_derived(word: str, table: WordTable) -> bool:
    """Return whether a word is made of a known one: "baker" of "bake", "baking" of "bake" too, "batter" of "bat"."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    stems += [stem + "e" for stem in stems] + [stem[:-1] for stem in stems if stem[-2:-1] == stem[-1:]]
    return any(len(stem) >= 3 and table.counts.get(stem, 0) for stem in stems)


def _guess(word: str, table: WordTable) -> Iterator[tuple[str, float]]:
    """Yield words that `word` may be, and how likely people write it so. The first letter stays."""
    for one in table.skeletons.get(find_skeleton(word), ()):
        if _is_within(word, one) and (len(word) > 3 or len(one) <= 5):
            yield one, 0.5
    if len(word) == 3:
        return
    for at in range(1, len(word)):
        before, after = word[:at], word[at:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:], 1
        if word[at] == word[at - 1] and after[1:]:
            yield before + after[1:], 2
        if word[at] == "v":
            yield before + "u" + after[1:], 2
        for letter in ascii_lowercase:
            yield before + letter + after, 2 if letter in VOWELS else 1


def _is_within(word: str, longer: str) -> bool:
    letters = iter(longer)
    return len(word) < len(longer) and all(letter in letters for letter in word)


def part_words(run: str, *, is_tag: bool = False) -> list[str]:
    """Return the words that run together in `run`; `run` alone if it is no more than one."""
    table = load_word_table()
    is_long = is_tag or len(run) >= LONG
    parts, cost = _find_cheapest(run, table, is_long=is_long)
    is_likely = cost <= _MOST + (_MOST_PER_LETTER_OF_LONG if is_long else _MOST_PER_LETTER) * len(run)
    is_gain = is_likely and sum(map(table.count_pieces, parts)) < table.count_pieces(run)
    return parts if is_gain and not _is_one_word(parts, table) else [run]


def _find_cheapest(run: str, table: WordTable, *, is_long: bool) -> tuple[list[str], float]:
    """Return the likeliest parts of a run and their cost, by Viterbi's algorithm. Only a long run may have unknown parts."""
    costs, starts = [0.0], [0]
    unknown, unknown_start = inf, 0  # the cost up to here if the last part is unknown, and where that begins
    for end in range(1, len(run) + 1):
        if is_long and costs[-1] + _COST_OF_UNKNOWN < unknown:
            unknown, unknown_start = costs[-1] + _COST_OF_UNKNOWN, end - 1
        unknown += _COST_OF_UNKNOWN_LETTER
        best, best_start = unknown, unknown_start
        for start in range(max(0, end - _LONGEST_PART), end):
            count = table.counts.get(run[start:end], 0)
            if count >= _FEWEST_OF_PART[end - start]:
                cost = costs[start] + log(table.total / count)
                if cost < best:
                    best, best_start = cost, start
        costs.append(best)
        starts.append(best_start)
    parts: list[str] = []
    end = len(run)
    while end:
        parts.append(run[starts[end] : end])
        end = starts[end]
    return parts[::-1], costs[-1]


def _is_one_word(parts: list[str], table: WordTable) -> bool:
    """Return whether two parts are most likely a prefix and its word, or a word in "-in'"."""
    first, second = parts[0], parts[1]
    is_greek = first == "a" and table.counts.get(second, 0) < _FEWEST_AFTER_A
    return len(parts) == 2 and (first in _PREFIXES or is_greek or second == "in")
