"""Find texts that are nearly equal: twins of which a word was changed, and texts of which a few letters were.

Two texts are near copies if their words, or their runs of letters, have a Jaccard index of at least `LIKENESS`.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

LIKENESS = 0.8
_RUN = 5  # letters
_WORDS = re.compile(r"\w+|[^\w\s\x00-\x7f]")  # an emoji is a word, ASCII punctuation is none
# Near copies share at least so many of their rarest members, if they have so many.
_SHARED = 3
_TEXTS_AT_ONCE = 1000
_ROUNDING = 1e-9
_BITS = 32  # two numbers of so many bits are sorted as one
_REST = 10  # of the bits of a digest do not count for rarity
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # mixes the bits of a number (Fibonacci hashing)


def raise_ranks(texts: Sequence[str], ranks: np.ndarray) -> np.ndarray:
    """Return the highest rank among each text and its near copies: shape (len(texts),).

    No near copy is missed. Equal digests of different members, of 32 bits, are too rare to matter.

    Parameters
    ----------
    ranks : ndarray of int, shape (len(texts),)
        The strictness of each text's side.
    """
    forms = [_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()) for text in texts]
    raised = ranks.copy()
    for list_members in (_list_words, _list_runs):
        sets = _Sets(*list_members(forms), len(texts))
        for one, other in sets.pair(ranks):
            np.maximum.at(raised, one, ranks[other])
    return raised


def _list_words(forms: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the words as numbers, and the place of each one's text."""
    numbers: dict[str, int] = {}
    words = np.array([numbers.setdefault(word, len(numbers)) for form in forms for word in form], np.uint64)
    return words, np.repeat(np.arange(len(forms)), [len(form) for form in forms])


def _list_runs(forms: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return digests of the runs of letters, and the place of each one's text. Blanks do not count."""
    joined = ["".join(form).ljust(_RUN, "\0") for form in forms]
    lengths = np.array([len(text) for text in joined])
    letters = np.frombuffer("".join(joined).encode("utf-32-le", "surrogatepass"), np.uint32)
    places = np.repeat(np.arange(len(joined)), lengths)
    digests = np.zeros(len(letters) - _RUN + 1, np.uint64)
    for at in range(_RUN):
        digests = digests * _MULTIPLIER + letters[at : at + len(digests)]
    whole = places[: len(digests)] == places[_RUN - 1 :]
    return digests[whole], places[: len(digests)][whole]


class _Sets:
    """The set of each text, and its pairs with sets that are alike.

    The search is prefix filtering (Chaudhuri et al. 2006, Wang et al. 2012). Let two sets of n and m members have a Jaccard index
    of at least j. Then they share k members among the rarest n - jn + k of one and the rarest m - jm + k of the other. What does
    so is paired, and then all that it shares is counted.

    Parameters
    ----------
    members, places : ndarray, shape (n_members,)
        A member, and the place of the text that has it.
    n_texts : int
    """

    def __init__(self, members: np.ndarray, places: np.ndarray, n_texts: int):
        digests = members * _MULTIPLIER >> np.uint64(_BITS)
        # Number the members by how rare they are. Those with the same first bits are counted together: any order would do.
        first, rest = digests >> np.uint64(_REST), digests & np.uint64((1 << _REST) - 1)
        counts = np.bincount(first.astype(np.int64))
        rarity = np.empty(len(counts), np.int64)
        rarity[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        entries = places << _BITS | rarity[first] << _REST | rest.astype(np.int64)
        entries.sort()
        entries = entries[np.diff(entries, prepend=-1) > 0]
        self._members, places = entries & (1 << _BITS) - 1, entries >> _BITS
        self._sizes = np.bincount(places, minlength=n_texts)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._needed = np.ceil(LIKENESS * self._sizes - _ROUNDING).astype(np.int64)
        is_rare = np.arange(len(places)) - self._starts[places] < (self._sizes - self._needed + _SHARED)[places]
        self._rare, self._rare_places = self._members[is_rare], places[is_rare]

    def pair(self, ranks: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the places of texts and of their near copies with a higher rank."""
        is_other = ranks[self._rare_places] > ranks.min()
        order = np.argsort(self._rare[is_other], kind="stable")
        members, others = self._rare[is_other][order], self._rare_places[is_other][order]
        bounds = np.searchsorted(self._rare_places, np.arange(0, len(ranks) + _TEXTS_AT_ONCE, _TEXTS_AT_ONCE))
        for start, stop in itertools.pairwise(bounds):
            sought = self._rare[start:stop]
            first = np.searchsorted(members, sought)
            found = np.searchsorted(members, sought, "right") - first
            one, other = np.repeat(self._rare_places[start:stop], found), others[_count_on(first, found)]
            higher = ranks[one] < ranks[other]
            pairs, shared = np.unique(one[higher] << _BITS | other[higher], return_counts=True)
            one, other = pairs >> _BITS, pairs & (1 << _BITS) - 1
            yield self._select_alike(one, other, shared)

    def _select_alike(self, one: np.ndarray, other: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those pairs that are near copies, of pairs that share so many of their rarest members."""
        needed = np.maximum(self._needed[one], self._needed[other])
        may_be = (shared >= np.minimum(needed, _SHARED)) & (np.minimum(self._sizes[one], self._sizes[other]) >= needed)
        one, other = one[may_be], other[may_be]
        common = self._count_common(one, other)
        alike = common >= LIKENESS * (self._sizes[one] + self._sizes[other] - common) - _ROUNDING
        return one[alike], other[alike]

    def _count_common(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return how many members each pair of sets shares."""
        pairs = np.arange(len(one))
        listed = np.concatenate(
            [
                np.repeat(pairs, self._sizes[side]) << _BITS | self._members[_count_on(self._starts[side], self._sizes[side])]
                for side in (one, other)
            ]
        )
        listed.sort()
        return np.bincount(listed[1:][listed[1:] == listed[:-1]] >> _BITS, minlength=len(one))


def _count_on(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the numbers from each start on, so many of each, in one array."""
    return np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
