"""The encoder with a head for each label: verdicts, and why."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...errors import CorruptVersionError, ForeignEncoderError
from ...label_index import read_arrays
from .session import Encoder, load_encoder
from .shipped import Shipped

LABELS = ("hate", "toxic")


def moderate(logits: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the mean of the logistic function over a normal distribution of the logit (MacKay 1992), in float64.

    Where the posterior is unsure, the probability moves towards a half.
    """
    return 0.5 + 0.5 * np.tanh(logits / (2 * np.sqrt(1 + np.pi / 8 * deviation**2)))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the engine says of some texts; arrays of float64, shape (n,).

    Attributes
    ----------
    hate, toxic : ndarray
        Probabilities. Hate is toxic too, so `toxic` is never less than `hate`.
    uncertainty : ndarray
        Standard deviation of the logit of `hate` under the posterior: how little the labels so far say of such a text.
    """

    hate: np.ndarray
    toxic: np.ndarray
    uncertainty: np.ndarray


class EncoderEngine:
    """The encoder with a head for each label.

    Parameters
    ----------
    mean : ndarray of float64, shape (2, 385)
        Of the weights' posterior, for each of `LABELS`; the intercept is last.
    precision : ndarray of float32, shape (2, 385, 385)
    encoder : Encoder, optional
        This process's, by default; loaded when first needed.
    """

    name = "encoder"
    files = ("model.npz",)

    def __init__(self, mean: np.ndarray, precision: np.ndarray, encoder: Encoder | None = None):
        self.mean, self.precision = mean, precision
        self._given_encoder = encoder
        # x' P^-1 x is the squared length of L^-1 x, with P = L L'. In float32: for one text, reading these is what takes time.
        whitening = np.linalg.inv(np.linalg.cholesky(precision.astype(float)))
        self._whitening = whitening.reshape(-1, whitening.shape[-1]).astype(np.float32)

    @cached_property
    def encoder(self) -> Encoder:
        return self._given_encoder or load_encoder()

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Return the probability that each of `texts` is hateful: float64, shape (len(texts),), in [0, 1]."""
        return self.judge(texts).hate

    def judge(self, texts: list[str]) -> Judgement:
        """Return what is to be said of `texts`, each by its most hateful window."""
        if not texts:
            return Judgement(*np.zeros((3, 0)))
        vectors, starts = self.encoder.embed(texts)
        windows = self.judge_embeddings(vectors)
        if len(vectors) == len(texts):
            return windows
        best = most_hateful(windows.hate, starts)
        return Judgement(windows.hate[best], windows.toxic[best], windows.uncertainty[best])

    def judge_embeddings(self, vectors: np.ndarray) -> Judgement:
        """Return what is to be said of texts with these embeddings."""
        extended = np.hstack([vectors, np.ones((len(vectors), 1))])
        logits = extended @ self.mean.T
        whitened = (extended.astype(np.float32) @ self._whitening.T).reshape(len(vectors), len(LABELS), -1)
        deviations = np.sqrt(np.square(whitened).sum(2, dtype=float))
        hate, toxic = moderate(logits, deviations).T
        return Judgement(hate, np.maximum(hate, toxic), deviations[:, 0])

    def explain(self, text: str) -> dict:
        """Return what each word of `text` adds to the logit of `hate`.

        1. Take the window with the highest probability, which is the text's.
        2. The logit is the head's weights times the mean of the token states, plus the intercept: a sum over tokens.
        3. Add up the tokens of each word, a run of characters of the text as it was posted; special tokens count into the bias.

        Returns
        -------
        dict
            "logit"; "bias"; "words": dicts of "word", "start", "end" (in code points of `text`, end exclusive) and
            "contribution". Bias and contributions sum to the logit, from which the probability is made.
        """
        form, windows = self.encoder.read(text)
        states = [self.encoder.states(window).astype(float) for window in windows]
        at = int(np.argmax(self.judge_embeddings(np.array([state.mean(0) for state in states])).hate))
        weights, intercept = self.mean[0, :-1], self.mean[0, -1]
        contributions = (states[at] @ weights / len(states[at])).tolist()
        words: list[list] = []  # start and end in the original, contribution, number of the word
        for contribution, word, span in zip(contributions[1:-1], windows[at].words, windows[at].spans, strict=True):
            start, end = form.span(*span)
            # Two tokens are of one word if the tokenizer says so, or if they were made of the same characters.
            if words and (words[-1][3] == word or start < words[-1][1]):
                words[-1][1] = max(words[-1][1], end)
                words[-1][2] += contribution
                words[-1][3] = word
            else:
                words.append([start, end, contribution, word])
        return {
            "logit": sum(contributions) + float(intercept),
            "bias": contributions[0] + contributions[-1] + float(intercept),
            "words": [
                {"word": text[start:end], "start": start, "end": end, "contribution": contribution}
                for start, end, contribution, _ in words
            ],
        }

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays; the encoder is named in the manifest and not copied."""
        np.savez(folder / "model.npz", mean=self.mean, precision=self.precision)

    @classmethod
    def load(cls, folder: Path, parameters: dict) -> "EncoderEngine":
        """Read what `save` wrote.

        Raises
        ------
        ForeignEncoderError
            The head was made for another encoder than the one that this release ships.
        CorruptVersionError
            The file is no archive of plain arrays, or they cannot be a posterior.
        """
        if parameters.get("encoder") != Shipped().sum_of("encoder.onnx"):
            raise ForeignEncoderError(
                f"Version {folder.name} was made for another encoder than this release ships."
                " The next training makes a version of the same rows."
            )
        arrays = read_arrays(folder / "model.npz", {"mean": np.float64, "precision": np.float32})
        return cls._checked(arrays["mean"], arrays["precision"], f"Version {folder.name}")

    @classmethod
    def shipped(cls) -> "EncoderEngine":
        """Return the engine with the shipped head; raises `PretrainedError`."""
        return cls(*Shipped().head())

    def with_head(self, mean: np.ndarray, precision: np.ndarray) -> "EncoderEngine":
        """Return an engine of the same encoder with another head."""
        return EncoderEngine(mean, precision, self._given_encoder)

    @classmethod
    def _checked(cls, mean: np.ndarray, precision: np.ndarray, what: str) -> "EncoderEngine":
        width = Shipped().manifest["width"] + 1
        if mean.shape != (len(LABELS), width) or precision.shape != (len(LABELS), width, width):
            raise CorruptVersionError(f"{what} holds arrays of other shapes than its encoder needs.")
        if not (np.isfinite(mean).all() and np.isfinite(precision).all()):
            raise CorruptVersionError(f"{what} holds weights that are no numbers.")
        try:
            return cls(mean, precision)
        except np.linalg.LinAlgError as error:
            raise CorruptVersionError(f"{what} holds a precision that is not positive definite.") from error


def most_hateful(probabilities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return for each text the place of its window with the highest probability, the first of equals."""
    ends = np.append(starts[1:], len(probabilities))
    return np.array([start + int(np.argmax(probabilities[start:end])) for start, end in zip(starts, ends, strict=True)], np.intp)
