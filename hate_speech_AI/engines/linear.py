"""Engine `linear`: TF-IDF of hashed word and character n-grams, and a logistic regression over them.

For prediction, idf and weight are folded together: no sparse matrix is built and scikit-learn is not imported.
"""

from collections.abc import Generator, Iterable, Iterator
from math import sqrt, tanh
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ..errors import CorruptVersionError, NotEnoughDataError
from ..evaluation.threshold import choose_threshold
from ..label_index import read_arrays
from ..labels import PRIMARY
from ..training.progress import Progress, run_to_end
from ..training.rows import STARTER, is_review, list_values
from .base import Engine, Fitted, Judgement
from .ngrams import BATCH, HashedRows, NgramHasher, hash_rows, weigh_rows

if TYPE_CHECKING:
    from ..training.rows import Split

# Chosen once by recipe/choose_linear.py, on the training side of twitter_sentiment only.
PARAMETERS = {
    "bucket_bits": 19,
    "char_ngrams": [1, 2, 4, 6],
    "char_weight": 3.0,
    "min_df": 2,
    "C": 8.0,
    "max_iter": 200,
}


class LinearEngine(Engine):
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
    labels = (PRIMARY,)

    def __init__(self, idf: np.ndarray, coef: np.ndarray, intercept: float, parameters: dict = PARAMETERS):
        self.idf, self.coef, self.intercept = idf, coef, float(intercept)
        self._hasher = NgramHasher(parameters["bucket_bits"], parameters["char_ngrams"])
        # What an n-gram adds to its block's dot product (real) and to the square of its norm (imaginary): one fetch from
        # memory, where most of the time goes, and one sum.
        self._table = (coef * idf + 1j * idf**2).astype(np.complex64)
        self._table.real[: self._hasher.buckets] *= parameters["char_weight"]

    def judge(self, texts: list[str]) -> Judgement:
        """Return the judgement of `texts`: probabilities of the primary label alone."""
        return Judgement({PRIMARY: self.predict_proba(texts)})

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Return the probability that each of `texts` is hateful: float64, shape (len(texts),), in [0, 1]."""
        return np.array([p for at in range(0, len(texts), BATCH) for p in self._probabilities(texts[at : at + BATCH])])

    def _probabilities(self, texts: list[str]) -> Iterator[float]:
        columns, starts = self._hasher.columns_and_starts(texts)
        # Plain numbers from here on: for a single text they are faster than arrays of two.
        sums = np.add.reduceat(self._table.take(columns), starts).tolist()
        for chars, words in zip(sums[0::2], sums[1::2], strict=True):
            logit = chars.real / sqrt(chars.imag or 1) + words.real / sqrt(words.imag or 1) + self.intercept
            yield 0.5 + 0.5 * tanh(0.5 * logit)  # the logistic function, without exp's overflow

    @classmethod
    def fit(cls, rows: Iterable[tuple[str, bool]], seed: int = 0) -> Self:
        """Fit on a stream of (text, is_hate_speech) rows; the texts are not kept.

        Raises
        ------
        NotEnoughDataError
            The rows are not of both labels.
        """
        return cls._fit_hashed(run_to_end(hash_rows(rows, PARAMETERS)), seed)

    @classmethod
    def fit_candidates(cls, split: "Split") -> Generator[Progress, None, list[Fitted]]:
        """Fit on the fitting side of the primary label, and choose the threshold on the threshold side: one candidate."""
        from ..training.candidate import SEED  # not at the top: it measures, which serving does without

        hashed = yield from hash_rows(((row.text, row.value) for row in split.list_side("fit")), PARAMETERS)
        yield Progress("fitting", split.n_rows)
        engine = cls._fit_hashed(hashed, SEED)
        others = split.list_side("threshold")
        probabilities = engine.predict_proba([row.text for row in others])
        return [Fitted(engine, choose_threshold(list_values(others), probabilities))]

    @classmethod
    def _fit_hashed(cls, hashed: HashedRows, seed: int) -> Self:
        # Not at the top: the processes that answer requests need none of this.
        from sklearn.linear_model import LogisticRegression

        features, labels, idf = weigh_rows(hashed, PARAMETERS)
        if len(set(labels.tolist())) < 2:
            raise NotEnoughDataError(
                "Training needs hateful and other tweets: review some of both, or import a labelled file with"
                " `python manage.py import_tweets FILE`."
            )
        regression = LogisticRegression(C=PARAMETERS["C"], max_iter=PARAMETERS["max_iter"], random_state=seed)
        regression.fit(features, labels)
        return cls(idf, regression.coef_[0].astype(np.float32), regression.intercept_[0])

    @classmethod
    def parameters(cls) -> dict:
        return PARAMETERS

    @classmethod
    def is_placeholder(cls, active: dict, candidate: dict) -> bool:
        """Return whether the active version learned mostly from the starter tweets and the candidate from an operator's data.

        The starter tweets show that the engine works. What they teach it is no standard for real data. Reviews, which anybody
        may post, do not lift the gate.
        """
        before = active["rows"]["by_source"]
        is_of_starters = 2 * before.get(STARTER, 0) >= sum(before.values())
        new = set(candidate["rows"]["by_source"]) - {STARTER} - set(before)
        return is_of_starters and not all(map(is_review, new))

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays, nothing that executes on load; compressed, since most columns are 0."""
        np.savez_compressed(folder / "vectorizer.npz", idf=self.idf)
        np.savez_compressed(folder / "model.npz", coef=self.coef, intercept=np.float64(self.intercept))

    @classmethod
    def load(cls, folder: Path, manifest: dict) -> Self:
        """Return the engine that `save` wrote, with the parameters that the manifest names.

        Raises
        ------
        CorruptVersionError
            A file is missing, is no archive of plain arrays, or holds arrays of another shape.
        """
        parameters = manifest["parameters"]
        idf = read_arrays(folder / "vectorizer.npz", {"idf": np.float32})["idf"]
        model = read_arrays(folder / "model.npz", {"coef": np.float32, "intercept": np.float64})
        coef, intercept = model["coef"], model["intercept"]
        shape = (2 << parameters["bucket_bits"],)
        if idf.shape != shape or coef.shape != shape or intercept.shape != ():
            raise CorruptVersionError(f"Version {folder.name} holds arrays of other shapes than its parameters say.")
        if not (np.isfinite(idf).all() and np.isfinite(coef).all() and np.isfinite(intercept)):
            raise CorruptVersionError(f"Version {folder.name} holds weights that are no numbers.")
        return cls(idf, coef, intercept, parameters)
