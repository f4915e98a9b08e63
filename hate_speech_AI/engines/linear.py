"""Engine `linear`: TF-IDF of hashed word and character n-grams, and a logistic regression over them.

The n-grams of many texts are hashed at once on arrays, so that one text costs some fifty microseconds and a training of half a
million texts fits in memory. A column comes from a hash, which bounds the feature space and leaves no vocabulary to store, to
load or to execute. For prediction, idf and weight are folded together: no sparse matrix is built and scikit-learn is not
imported.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice
from math import sqrt, tanh
from pathlib import Path

import numpy as np

from ..errors import CorruptVersionError, NotEnoughDataError
from ..label_index import read_arrays
from ..text.linear_form import reading_form, stems

# Chosen once by recipe/choose_linear.py, on the training side of twitter_sentiment only.
PARAMETERS = {
    "bucket_bits": 19,
    "char_ngrams": [1, 2, 4, 6],
    "char_weight": 3.0,
    "min_df": 2,
    "C": 8.0,
    "max_iter": 200,
}

_BATCH = 512  # texts hashed at once: enough to amortise the array calls, small enough for the cache
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: Fibonacci hashing
_FINALIZER = np.uint64(0xFF51AFD7ED558CCD)  # of MurmurHash3's 64-bit mix
_ONE, _MIX_BITS = np.uint64(1), np.uint64(29)
_BOUNDARY = 1  # stands before the first word of a text and after its last; not 0, which would vanish from a pair


@lru_cache(maxsize=65536)
def _hash_word(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class NgramHasher:
    """Turns texts into the columns of their character n-grams, and of their words and pairs of words.

    Characters have the first half of the columns, words the second: two blocks, each with a norm of its own.

    Parameters
    ----------
    bucket_bits : int
        Each block has 2**bucket_bits columns.
    sizes : list of int
        The character n-grams, ascending from 1; each size is the sum of two smaller ones.
    words : callable
        From a text's reading form to its words.
    """

    def __init__(self, bucket_bits: int, sizes: list[int], words: Callable[[str], list[str]] = stems):
        self.buckets = 1 << bucket_bits
        self.columns = 2 * self.buckets
        self._sizes, self._words = sizes, words
        self._unused_bits = np.uint64(64 - bucket_bits)
        self._padding = "\0" * (sizes[-1] - 1)
        # How a size is made of two smaller ones, and the multiplier's power that shifts one by the other, as in a
        # polynomial: else "abcd" and "acbd" would be one.
        self._splits = []
        for size in sizes[1:]:
            head = next(head for head in reversed(sizes) if head < size and size - head in sizes)
            self._splits.append((size, head, size - head, np.uint64(pow(int(_MULTIPLIER), size - head, 2**64))))

    def keys(self, texts: list[str]) -> np.ndarray:
        """Return a key for each n-gram that occurs in each of `texts`, each once.

        Written as few calls on long arrays, since it is most of the cost of a prediction. So that no n-gram needs a look at
        where its text ends, n-grams may reach over the end into padding: they say "at the end of the text".

        Returns
        -------
        ndarray of int64, shape (n,)
            Text's index * columns + column, ascending; every text has n-grams of both blocks.
        """
        forms = [f" {reading_form(text)} " for text in texts]
        joined = self._padding.join([*forms, ""])
        codes = (np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32) + _ONE) * _FINALIZER
        chars = self._char_hashes(codes)
        if len(texts) > 1:
            chars = chars[codes[: len(chars)] != _FINALIZER]  # those that begin in the padding go

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

    def columns_and_starts(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of `keys`, and where each block begins: the first text's characters, its words, and so on."""
        keys = self.keys(texts)
        starts = keys.searchsorted(np.arange(0, len(texts) * self.columns, self.buckets))
        return keys & (self.columns - 1), starts

    def _char_hashes(self, codes: np.ndarray) -> np.ndarray:
        """Return the hash of the n-gram of each size (axis 1) that begins at each place (axis 0)."""
        by_size = {1: codes}
        for size, head, rest, power in self._splits:
            places = len(codes) - size + 1
            by_size[size] = by_size[head][:places] * power + by_size[rest][head : head + places]
        hashes = np.empty((len(by_size[self._sizes[-1]]), len(self._sizes)), np.uint64)
        for index, size in enumerate(self._sizes):
            hashes[:, index] = by_size[size][: len(hashes)]
        return hashes


class LinearEngine:
    """A fitted TF-IDF vectorizer and logistic regression.

    Parameters
    ----------
    idf : ndarray of float32, shape (columns,)
        Inverse document frequency of each column; 0 where too few training texts had it.
    coef : ndarray of float32, shape (columns,)
        Weight of each column in the logit.
    intercept : float
    parameters : dict
        Those it was trained with, as in `PARAMETERS`.
    """

    name = "linear"
    files = ("model.npz", "vectorizer.npz")

    def __init__(self, idf: np.ndarray, coef: np.ndarray, intercept: float, parameters: dict = PARAMETERS):
        self.idf, self.coef, self.intercept, self.parameters = idf, coef, float(intercept), parameters
        self._hasher = NgramHasher(parameters["bucket_bits"], parameters["char_ngrams"])
        # What an n-gram adds to its block's dot product (real) and to the square of its norm (imaginary): one fetch from
        # memory, where most of the time goes, and one sum.
        self._table = (coef * idf + 1j * idf**2).astype(np.complex64)
        self._table.real[: self._hasher.buckets] *= parameters["char_weight"]

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Return the probability that each of `texts` is hateful: float64, shape (len(texts),), in [0, 1]."""
        return np.array([p for at in range(0, len(texts), _BATCH) for p in self._probabilities(texts[at : at + _BATCH])])

    def _probabilities(self, texts: list[str]) -> Iterator[float]:
        columns, starts = self._hasher.columns_and_starts(texts)
        # Plain numbers from here on: for a single text they are faster than arrays of two.
        sums = np.add.reduceat(self._table.take(columns), starts).tolist()
        for chars, words in zip(sums[0::2], sums[1::2], strict=True):
            logit = chars.real / sqrt(chars.imag or 1) + words.real / sqrt(words.imag or 1) + self.intercept
            yield 0.5 + 0.5 * tanh(0.5 * logit)  # the logistic function, without exp's overflow

    @classmethod
    def fit(cls, rows: Iterable[tuple[str, bool]], seed: int = 0) -> "LinearEngine":
        """Fit on a stream of (text, is_hate_speech) rows; the texts are not kept.

        Raises
        ------
        NotEnoughDataError
            The rows are not of both labels.
        """
        # Not at the top: the processes that answer requests need none of this.
        from sklearn.linear_model import LogisticRegression

        features, labels, idf = tfidf(rows)
        if len(set(labels.tolist())) < 2:
            raise NotEnoughDataError(
                "Training needs hateful and other tweets: review some of both, or import a labelled file with"
                " `python manage.py import_tweets FILE`."
            )
        regression = LogisticRegression(C=PARAMETERS["C"], max_iter=PARAMETERS["max_iter"], random_state=seed)
        regression.fit(features, labels)
        return cls(idf, regression.coef_[0].astype(np.float32), regression.intercept_[0])

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays, nothing that executes on load; compressed, since most columns are 0."""
        np.savez_compressed(folder / "vectorizer.npz", idf=self.idf)
        np.savez_compressed(folder / "model.npz", coef=self.coef, intercept=np.float64(self.intercept))

    @classmethod
    def load(cls, folder: Path, parameters: dict) -> "LinearEngine":
        """Read what `save` wrote of an engine with these parameters.

        Raises
        ------
        CorruptVersionError
            A file is missing, is no archive of plain arrays, or holds arrays of another shape.
        """
        idf = read_arrays(folder / "vectorizer.npz", {"idf": np.float32})["idf"]
        model = read_arrays(folder / "model.npz", {"coef": np.float32, "intercept": np.float64})
        coef, intercept = model["coef"], model["intercept"]
        shape = (2 << parameters["bucket_bits"],)
        if idf.shape != shape or coef.shape != shape or intercept.shape != ():
            raise CorruptVersionError(f"Version {folder.name} holds arrays of other shapes than its parameters say.")
        if not (np.isfinite(idf).all() and np.isfinite(coef).all() and np.isfinite(intercept)):
            raise CorruptVersionError(f"Version {folder.name} holds weights that are no numbers.")
        return cls(idf, coef, intercept, parameters)


def tfidf(rows: Iterable[tuple[str, bool]], parameters: dict = PARAMETERS, words: Callable[[str], list[str]] = stems):
    """Return the TF-IDF matrix of a stream of rows (float32 CSR, one row a text), their labels (bool) and the idf array.

    Term frequency is 1 for what occurs and 0 for what does not, which scores better here than counts or their logarithms: tweets
    are short. Each block of a text has Euclidean norm 1, characters times their weight.

    The columns wait as four bytes each until the document frequencies are known, and the pieces are freed while the matrix is
    put together, so the peak stays near nine bytes for each n-gram of each text.
    """
    from scipy.sparse import csr_matrix

    hasher = NgramHasher(parameters["bucket_bits"], parameters["char_ngrams"], words)
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    labels: list[bool] = []
    document_frequency = np.zeros(hasher.columns, np.int64)
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        labels.extend(is_hate_speech for _, is_hate_speech in batch)
        columns, starts = hasher.columns_and_starts([text for text, _ in batch])
        document_frequency += np.bincount(columns, minlength=hasher.columns)
        pieces.append((columns.astype(np.int32), starts))

    is_frequent = document_frequency >= parameters["min_df"]
    idf = np.where(is_frequent, np.log((1 + len(labels)) / (1 + document_frequency)) + 1, 0).astype(np.float32)

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
    return csr_matrix((data, indices, indptr), (len(labels), hasher.columns)), np.array(labels, bool), idf
