"""Texts as hashed word and character n-grams, weighted by TF-IDF.

The n-grams of many texts are hashed at once on arrays. So one text costs some fifty microseconds, and a training of half a
million texts fits in memory. The column of an n-gram is its hash. So the feature space is bounded, and there is no vocabulary to
store or to load.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bools, Float32s, Keys, Places
from ..text.linear_form import reading_form, stems
from ..training.progress import Progress, Steps, run_to_end

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BATCH = 512  # texts hashed at once: enough to amortise the array calls, small enough for the cache
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: Fibonacci hashing
_FINALIZER = np.uint64(0xFF51AFD7ED558CCD)  # of MurmurHash3's 64-bit mix
_ONE, _MIX_BITS = np.uint64(1), np.uint64(29)
_BOUNDARY = 1  # stands before the first word of a text and after its last; not 0, which would vanish from a pair


class NgramParameters(TypedDict):
    """How texts become columns.

    "bucket_bits" is the base-2 logarithm of the columns of a block. "char_ngrams" are the lengths of the character n-grams.
    "char_weight" is the norm of the characters' block; that of the words' block is 1. "min_df" is the number of training texts
    that must have a column, otherwise it is ignored.
    """

    bucket_bits: int
    char_ngrams: list[int]
    char_weight: float
    min_df: int


@lru_cache(maxsize=65536)
def _hash_word(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class NgramHasher:
    """Turns texts into columns: those of their character n-grams, and those of their words and pairs of words.

    There are two blocks, each with a norm of its own. Characters have the first half of the columns, words the second.

    Parameters
    ----------
    bucket_bits : int
        Each block has 2**bucket_bits columns.
    sizes : list of int
        The lengths of the character n-grams, ascending from 1. Each is the sum of two smaller ones.
    words : callable
        Returns the words of a reading form.
    """

    def __init__(self, bucket_bits: int, sizes: list[int], words: Callable[[str], list[str]] = stems):
        self.buckets = 1 << bucket_bits
        self.columns = 2 * self.buckets
        self._sizes, self._words = sizes, words
        self._unused_bits = np.uint64(64 - bucket_bits)
        self._block_starts = np.array([0, self.buckets])  # of one text
        self._padding = "\0" * (sizes[-1] - 1)
        # The hash of an n-gram is made of those of two shorter ones, as in a polynomial: the first is multiplied by a power that
        # depends on the length of the second. Otherwise "abcd" and "acbd" would have one hash.
        self._splits: list[tuple[int, int, int, np.uint64]] = []
        for size in sizes[1:]:
            head = next(head for head in reversed(sizes) if head < size and size - head in sizes)
            self._splits.append((size, head, size - head, np.uint64(pow(int(_MULTIPLIER), size - head, 2**64))))

    def keys(self, texts: list[str]) -> Places:
        """Return a key for each different n-gram of each text.

        This is most of the cost of a prediction, so it makes few calls on long arrays. An n-gram may reach over the end of its
        text into padding, and then means "at the end of the text". So no code has to look where texts end.

        Returns
        -------
        ndarray of int64, shape (n,)
            Index of the text * columns + column, ascending. Every text has n-grams of both blocks.
        """
        forms = [f" {reading_form(text)} " for text in texts]
        joined = self._padding.join([*forms, ""])
        codes = (np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32) + _ONE) * _FINALIZER
        chars = self._char_hashes(codes)
        if len(texts) > 1:
            chars = chars[codes[: len(chars)] != _FINALIZER]  # drops n-grams that begin in the padding

        words = [[_BOUNDARY, *map(_hash_word, self._words(form))] for form in forms]
        word_hashes = np.array([*chain.from_iterable(words), _BOUNDARY], np.uint64)

        hashes = np.empty(chars.size + 2 * len(word_hashes) - 2, np.uint64)
        hashes[: chars.size] = chars.reshape(-1)
        hashes[chars.size :: 2] = word_hashes[:-1]
        hashes[chars.size + 1 :: 2] = word_hashes[:-1] * _MULTIPLIER + word_hashes[1:]
        # The best-mixed bits of a product are the upper ones.
        keys = (((hashes ^ (hashes >> _MIX_BITS)) * _FINALIZER) >> self._unused_bits).view(np.int64)
        keys[chars.size :] += self.buckets
        if len(texts) > 1:
            of_text = np.arange(len(texts)) * self.columns
            keys[: chars.size] += np.repeat(of_text, [len(self._sizes) * len(form) for form in forms])
            keys[chars.size :] += np.repeat(of_text, [2 * len(row) for row in words])

        keys.sort()
        is_first = np.empty(len(keys), bool)
        is_first[0] = True
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
        return keys[is_first]

    def columns_and_starts(self, texts: list[str]) -> tuple[Places, Places]:
        """Return the columns of all texts, and where each block begins: the first text's characters, its words, and so on."""
        keys = self.keys(texts)
        starts = keys.searchsorted(
            self._block_starts if len(texts) == 1 else np.arange(0, len(texts) * self.columns, self.buckets)
        )
        return keys & (self.columns - 1), starts

    def _char_hashes(self, codes: Keys) -> Keys:
        """Return the hashes of the n-grams that begin at each place (axis 0), by length (axis 1)."""
        by_size = {1: codes}
        for size, head, rest, power in self._splits:
            places = len(codes) - size + 1
            by_size[size] = by_size[head][:places] * power + by_size[rest][head : head + places]
        hashes = np.empty((len(by_size[self._sizes[-1]]), len(self._sizes)), np.uint64)
        for index, size in enumerate(self._sizes):
            hashes[:, index] = by_size[size][: len(hashes)]
        return hashes


@dataclass
class HashedRows:
    """Rows whose n-grams have been hashed.

    Attributes
    ----------
    pieces : list of (ndarray of int32, ndarray of int)
        For each batch the columns, and where each block of each text begins.
    labels : list of bool
    document_frequency : ndarray of int64, shape (columns,)
        The number of texts that have each column.
    """

    pieces: list[tuple[NDArray[np.int32], Places]]
    labels: list[bool]
    document_frequency: NDArray[np.int64]


def hash_rows(
    rows: Iterable[tuple[str, bool]], parameters: NgramParameters, words: Callable[[str], list[str]] = stems
) -> Steps[HashedRows]:
    """Hash the n-grams of a stream of rows. The texts are not kept in memory."""
    hasher = NgramHasher(parameters["bucket_bits"], parameters["char_ngrams"], words)
    hashed = HashedRows([], [], np.zeros(hasher.columns, np.int64))
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        hashed.labels.extend(label for _, label in batch)
        columns, starts = hasher.columns_and_starts([text for text, _ in batch])
        hashed.document_frequency += np.bincount(columns, minlength=hasher.columns)
        hashed.pieces.append((columns.astype(np.int32), starts))
        yield Progress("reading", len(hashed.labels))
    return hashed


def weigh_rows(hashed: HashedRows, parameters: NgramParameters) -> "tuple[csr_matrix, Bools, Float32s]":
    """Return the TF-IDF matrix of hashed rows (float32 CSR, one row a text), their labels and the idf of each column.

    The term frequency is 1 or 0, not a count. For texts as short as tweets that scores better than counts or their logarithms.
    The block of the words has Euclidean norm 1, that of the characters "char_weight".

    `hashed` is emptied: the pieces are freed while the matrix is built. So the peak stays near nine bytes for each n-gram of each
    text.
    """
    from scipy.sparse import csr_matrix  # not at the top: serving does not need it

    n_rows, frequency, pieces = len(hashed.labels), hashed.document_frequency, hashed.pieces
    is_frequent = frequency >= parameters["min_df"]
    idf = np.where(is_frequent, np.log((1 + n_rows) / (1 + frequency)) + 1, 0).astype(np.float32)
    total = sum(len(columns) for columns, _ in pieces)
    indices, data = np.empty(total, np.int32), np.empty(total, np.float32)
    row_starts = []
    at = 0
    pieces.reverse()
    while pieces:
        columns, starts = pieces.pop()
        values = idf[columns]
        squared_norms = np.add.reduceat(values**2, starts)
        scale = 1 / np.sqrt(np.where(squared_norms, squared_norms, 1))
        scale[0::2] *= parameters["char_weight"]
        indices[at : at + len(columns)] = columns
        data[at : at + len(columns)] = values * np.repeat(scale, np.diff(starts, append=len(columns)))
        row_starts.append(at + starts[0::2])
        at += len(columns)
    indptr = np.concatenate([*row_starts, [total]]).astype(np.int32 if total < 2**31 else np.int64)
    return csr_matrix((data, indices, indptr), (n_rows, len(frequency))), np.array(hashed.labels, bool), idf


def compute_tfidf(
    rows: Iterable[tuple[str, bool]], parameters: NgramParameters, words: Callable[[str], list[str]] = stems
) -> "tuple[csr_matrix, Bools, Float32s]":
    """Return the TF-IDF matrix, the labels and the idf of a stream of (text, label) rows, as `weigh_rows` does."""
    return weigh_rows(run_to_end(hash_rows(rows, parameters, words)), parameters)
