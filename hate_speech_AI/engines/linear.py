"""Engine `linear`: a logistic regression over the TF-IDF of hashed word and character n-grams.

For prediction, idf and weight are multiplied in advance. So it builds no sparse matrix and does not import scikit-learn.
"""

from collections.abc import Iterable, Iterator
from math import sqrt, tanh
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ..arrays import Float32s, Floats
from ..budget import Budget, split_texts
from ..errors import CorruptVersionError, NotEnoughDataError
from ..evaluation.threshold import choose_threshold
from ..label_index import read_arrays
from ..labels import PRIMARY
from ..manifest import CandidateManifest, Manifest
from ..text import READING
from ..training.progress import Progress, Steps, run_to_end
from ..training.rows import STARTER, is_review, list_values
from .base import Engine, Fitted, Judgement, Losses
from .ngrams import BATCH, HashedRows, NgramHasher, NgramParameters, compute_tfidf, hash_rows, weigh_rows

if TYPE_CHECKING:
    from ..training.rows import Row, Split

# Each character has some n-grams of eight bytes, so this bounds the memory of a request.
_CHARACTERS_AT_ONCE = 65_536
# This engine knows no tokens. So they are counted as English has them.
_CHARACTERS_OF_A_TOKEN = 4
_SKETCH = 512  # columns of a sketch


class LinearParameters(NgramParameters):
    """The parameters of a training: those of the n-grams, of scikit-learn's `LogisticRegression`, and the reading form."""

    C: float
    max_iter: int
    reading: int


# Chosen once by recipe/choose_linear.py, on the training side of twitter_sentiment only.
PARAMETERS: LinearParameters = {
    "bucket_bits": 19,
    "char_ngrams": [1, 2, 4, 6],
    "char_weight": 3.0,
    "min_df": 2,
    "C": 8.0,
    "max_iter": 200,
    "reading": READING,
}


class LinearEngine(Engine):
    """A fitted TF-IDF vectorizer and logistic regression.

    Parameters
    ----------
    idf : ndarray of float32, shape (columns,)
        Inverse document frequency of each column; 0 for a column that too few training texts have.
    coef : ndarray of float32, shape (columns,)
        Weight of each column in the logit.
    intercept : float
    parameters : NgramParameters
        The parameters of its training.
    """

    name = "linear"
    files = ("model.npz", "vectorizer.npz")
    labels = (PRIMARY,)

    def __init__(self, idf: Float32s, coef: Float32s, intercept: float, parameters: NgramParameters = PARAMETERS):
        self.idf, self.coef, self.intercept = idf, coef, intercept
        self._hasher = NgramHasher(parameters["bucket_bits"], parameters["char_ngrams"])
        # The real part is what an n-gram adds to the dot product of its block, the imaginary part what it adds to the squared
        # norm. So each n-gram costs one fetch from memory, which takes most of the time, and one sum.
        self._table = (coef * idf + 1j * idf**2).astype(np.complex64)
        self._table.real[: self._hasher.buckets] *= parameters["char_weight"]

    def judge(self, texts: list[str], budget: Budget | None = None) -> Judgement:
        """Return the judgement on `texts`: the probability of the primary label alone."""
        budget = budget or Budget()
        budget.spend(sum(len(text) // _CHARACTERS_OF_A_TOKEN + 1 for text in texts))
        budget.close_count()
        probabilities: list[float] = []
        for some in split_texts(texts, _CHARACTERS_AT_ONCE, BATCH):
            budget.check()
            probabilities += self._probabilities(some)
        return Judgement({PRIMARY: np.array(probabilities)})

    def _probabilities(self, texts: list[str]) -> Iterator[float]:
        columns, starts = self._hasher.columns_and_starts(texts)
        # Plain numbers from here on: for a single text they are faster than arrays of length two.
        sums: list[complex] = np.add.reduceat(self._table.take(columns), starts).tolist()
        for chars, words in zip(sums[0::2], sums[1::2], strict=True):
            logit = chars.real / sqrt(chars.imag or 1) + words.real / sqrt(words.imag or 1) + self.intercept
            yield 0.5 + 0.5 * tanh(0.5 * logit)  # the logistic function, without exp's overflow

    def embed_influence(self, texts: list[str]) -> Float32s:
        """Return a sketch of the n-grams of each text, weighted by idf: shape (n, `_SKETCH`).

        Its inner products approximate those of the n-grams. Each column is added to one of few, or subtracted (Weinberger et al.
        2009, "Feature Hashing for Large Scale Multitask Learning").
        """
        sketches = [np.empty((0, _SKETCH), np.float32)]
        for some in split_texts(texts, _CHARACTERS_AT_ONCE, BATCH):
            columns, starts = self._hasher.columns_and_starts(some)
            of_text = np.repeat(np.arange(len(some)), np.diff(starts[::2], append=len(columns)))
            signed = np.where(columns // _SKETCH % 2, self.idf[columns], -self.idf[columns])
            sums = np.bincount(of_text * _SKETCH + columns % _SKETCH, signed, len(some) * _SKETCH)
            sketches.append(sums.reshape(len(some), _SKETCH).astype(np.float32))
        return np.concatenate(sketches)

    @classmethod
    def fit(cls, rows: Iterable[tuple[str, bool]], seed: int = 0) -> Self:
        """Fit on a stream of (text, is_hate_speech) rows. The texts are not kept in memory.

        Raises
        ------
        NotEnoughDataError
            The rows are not both hateful and harmless.
        """
        return cls._fit_hashed(run_to_end(hash_rows(rows, PARAMETERS)), seed)

    @classmethod
    def fit_candidates(cls, split: "Split") -> Steps[list[Fitted]]:
        """Fit on side "fit" of the primary label and choose the threshold on side "threshold". Return one candidate."""
        from ..training.candidate import SEED  # not at the top: serving does not need that module

        hashed = yield from hash_rows(((row.text, row.value) for row in split.list_side("fit")), PARAMETERS)
        yield Progress("fitting", split.n_rows)
        engine = cls._fit_hashed(hashed, SEED)
        rows = split.list_side("threshold")
        probabilities = engine.predict_proba([row.text for row in rows])
        return [Fitted(engine, choose_threshold(list_values(rows), probabilities))]

    @classmethod
    def _fit_hashed(cls, hashed: HashedRows, seed: int) -> Self:
        # Not at the top: serving does not need scikit-learn.
        from sklearn.linear_model import LogisticRegression

        features, labels, idf = weigh_rows(hashed, PARAMETERS)
        if len(set(labels.tolist())) < 2:
            raise NotEnoughDataError(
                "Training needs hateful and other tweets: review some of both, or import a labelled file with"
                " `python manage.py import_tweets FILE`."
            )
        regression = LogisticRegression(C=PARAMETERS["C"], max_iter=PARAMETERS["max_iter"], random_state=seed)
        regression.fit(features, labels)
        return cls(idf, regression.coef_[0].astype(np.float32), float(regression.intercept_[0]))

    def estimate_harm(self, rows: "list[Row]", losses: Losses) -> Floats:
        # Without the Hessian, which has too many columns here.
        texts = [row.text for row in rows]
        features, _, _ = compute_tfidf(((text, False) for text in [*texts, *losses.texts]), PARAMETERS)
        surprise = np.array([row.value for row in rows], float) - self.predict_proba(texts)
        harm: Floats = surprise * (features[: len(rows)] @ (features[len(rows) :].T @ losses.pulls))
        return harm

    @classmethod
    def parameters(cls) -> LinearParameters:
        return PARAMETERS

    @classmethod
    def is_placeholder(cls, active: CandidateManifest, candidate: CandidateManifest) -> bool:
        """Return whether the active version learned mostly from the starter tweets, and the candidate from an operator's data.

        The starter tweets only show that the engine works. A version of them is no standard for real data. Reviews alone do not
        count as an operator's data, since anybody may post them.
        """
        before = active["rows"]["by_source"]
        is_mostly_starters = 2 * before.get(STARTER, 0) >= sum(before.values())
        new = set(candidate["rows"]["by_source"]) - {STARTER} - set(before)
        return is_mostly_starters and not all(map(is_review, new))

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays, compressed, since most columns are 0."""
        np.savez_compressed(folder / "vectorizer.npz", idf=self.idf)
        np.savez_compressed(folder / "model.npz", coef=self.coef, intercept=np.float64(self.intercept))

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> Self:
        """Load the engine that `save` wrote, with the parameters in the manifest.

        Raises
        ------
        CorruptVersionError
            The parameters are not those of this engine. Or a file is missing, is no archive of plain arrays, or holds arrays of
            another shape.
        """
        parameters = _read_parameters(manifest)
        idf = read_arrays(folder / "vectorizer.npz", {"idf": np.float32})["idf"]
        model = read_arrays(folder / "model.npz", {"coef": np.float32, "intercept": np.float64})
        coef, intercept = model["coef"], model["intercept"]
        shape = (2 << parameters["bucket_bits"],)
        if idf.shape != shape or coef.shape != shape or intercept.shape != ():
            raise CorruptVersionError(f"Version {folder.name} holds arrays of other shapes than its parameters say.")
        if not (np.isfinite(idf).all() and np.isfinite(coef).all() and np.isfinite(intercept)):
            raise CorruptVersionError(f"Version {folder.name} holds weights that are no numbers.")
        return cls(idf, coef, float(intercept), parameters)


def _read_parameters(manifest: Manifest) -> NgramParameters:
    """Return the parameters in a manifest. Raises `CorruptVersionError`."""
    match manifest["parameters"]:
        case {
            "bucket_bits": int(bits),
            "char_ngrams": [*sizes],
            "char_weight": int() | float() as weight,
            "min_df": int(least),
        } if 0 <= bits < 32 and all(isinstance(size, int) for size in sizes):
            return {"bucket_bits": bits, "char_ngrams": sizes, "char_weight": weight, "min_df": least}
    raise CorruptVersionError(f"The parameters of version {manifest['version']} are not those of engine {LinearEngine.name}.")
