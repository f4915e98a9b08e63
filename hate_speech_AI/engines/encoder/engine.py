"""The encoder with a head for each label: verdicts, and why."""

from collections.abc import Generator
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ...errors import CorruptVersionError, ForeignEncoderError
from ...label_index import read_arrays
from ...labels import raise_implied
from ..base import Engine, Fitted, Judgement
from ..evaluation_set import EvaluationSet, Fingerprints
from .session import Encoder, TokenReading, load_encoder
from .shipped import Shipped

if TYPE_CHECKING:
    from ...training.progress import Progress
    from ...training.rows import Split


def moderated_probability(logits: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the mean of the logistic function over a normal distribution of the logit, in float64.

    It is MacKay's approximation (1992, "moderated outputs"). Where the posterior is unsure, the probability moves towards a half.
    """
    return 0.5 + 0.5 * np.tanh(logits / (2 * np.sqrt(1 + np.pi / 8 * deviation**2)))


class EncoderEngine(Engine):
    """The encoder with a head for each label.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_labels, width + 1)
        Mean of the weights' posterior, a row for each label; the intercept is last.
    precision : ndarray of float32, shape (n_labels, width + 1, width + 1)
    encoder : Encoder, optional
        By default this process's encoder, loaded when first needed.
    labels : tuple of str, optional
        The rows of the head; by default the labels of the shipped head.
    """

    name = "encoder"
    files = ("model.npz",)
    can_explain = True
    is_shipped_ready = True

    def __init__(
        self, mean: np.ndarray, precision: np.ndarray, encoder: Encoder | None = None, labels: tuple[str, ...] | None = None
    ):
        self.mean, self.precision = mean, precision
        self.labels = Shipped().labels if labels is None else labels
        self._given_encoder = encoder
        # x' P^-1 x is the squared length of L^-1 x, with P = L L'. In float32: for one text, reading these is what takes time.
        whitening = np.linalg.inv(np.linalg.cholesky(precision.astype(float)))
        self._whitening = whitening.reshape(-1, whitening.shape[-1]).astype(np.float32)

    @cached_property
    def encoder(self) -> Encoder:
        return self._given_encoder or load_encoder()

    def judge(self, texts: list[str]) -> Judgement:
        """Return the judgement of `texts`, each by its window with the highest probability of the first label."""
        vectors, starts = self.encoder.embed(texts)
        windows = self.judge_embeddings(vectors)
        if len(vectors) == len(texts):
            return windows
        return windows.take(pick_windows(windows[self.labels[0]], starts))

    def judge_embeddings(self, vectors: np.ndarray) -> Judgement:
        """Return the judgement of texts with these embeddings, shape (n, width)."""
        extended = np.hstack([vectors, np.ones((len(vectors), 1))])
        logits = extended @ self.mean.T
        whitened = (extended.astype(np.float32) @ self._whitening.T).reshape(len(vectors), len(self.labels), extended.shape[1])
        deviations = np.sqrt(np.square(whitened).sum(2, dtype=float))
        probabilities = dict(zip(self.labels, moderated_probability(logits, deviations).T, strict=True))
        return Judgement(raise_implied(probabilities), deviations[:, 0])

    def judge_evaluation_set(self, texts: EvaluationSet) -> Judgement:
        return self.judge_embeddings(texts.vectors)

    def explain(self, texts: list[str]) -> tuple[Judgement, list[dict]]:
        """Return the judgement of `texts`, and what each word adds to the logit of the first label.

        1. Encode each text once. Judge it by its window with the highest probability, as `judge` does.
        2. The logit is the head's weights times the mean of the token states, plus the intercept: a sum over tokens.
        3. Add up the tokens of each word, a run of characters of the text as it was posted. Special tokens count into the bias.
        """
        vectors, starts, tokens = self.encoder.embed_tokens(texts, self.mean[0, :-1])
        windows = self.judge_embeddings(vectors)
        best = pick_windows(windows[self.labels[0]], starts)
        intercept = float(self.mean[0, -1])
        explanations = [_explain(text, tokens[at], intercept) for text, at in zip(texts, best.tolist(), strict=True)]
        return windows.take(best), explanations

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays. The manifest names the encoder, which is not copied."""
        np.savez(folder / "model.npz", mean=self.mean, precision=self.precision)

    @classmethod
    def load(cls, folder: Path, manifest: dict) -> Self:
        """Return the engine that `save` wrote.

        Raises
        ------
        ForeignEncoderError
            The head was made for another encoder than the one that this release ships.
        CorruptVersionError
            The file is no archive of plain arrays, or the arrays are no posterior.
        """
        if manifest["parameters"].get("encoder") != Shipped().checksum("encoder.onnx"):
            raise ForeignEncoderError(
                f"Version {folder.name} was made for another encoder than this release ships."
                " The next training makes a version of the same rows."
            )
        arrays = read_arrays(folder / "model.npz", {"mean": np.float64, "precision": np.float32})
        mean, precision, labels = arrays["mean"], arrays["precision"], tuple(manifest["labels"])
        what = f"Version {folder.name}"
        width = Shipped().manifest["width"] + 1
        if mean.shape != (len(labels), width) or precision.shape != (len(labels), width, width):
            raise CorruptVersionError(f"{what} holds arrays of other shapes than its encoder and labels need.")
        if not (np.isfinite(mean).all() and np.isfinite(precision).all()):
            raise CorruptVersionError(f"{what} holds weights that are no numbers.")
        try:
            return cls(mean, precision, labels=labels)
        except np.linalg.LinAlgError as error:
            raise CorruptVersionError(f"{what} holds a precision that is not positive definite.") from error

    @classmethod
    def shipped(cls) -> Self:
        """Return the engine with the shipped head; raises `PretrainedError`."""
        files = Shipped()
        return cls(*files.head(), labels=files.labels)

    def with_head(self, mean: np.ndarray, precision: np.ndarray) -> "EncoderEngine":
        """Return an engine of the same encoder and labels with another head."""
        return EncoderEngine(mean, precision, self._given_encoder, self.labels)

    @classmethod
    def parameters(cls) -> dict:
        from .updating import TAUS  # not at the top: serving does without it

        files = Shipped()
        return {"encoder": files.checksum("encoder.onnx"), "head": files.checksum("head.npz"), "taus": list(TAUS)}

    @classmethod
    def fit_candidates(cls, split: "Split") -> Generator["Progress", None, list[Fitted]]:
        from .updating import fit_candidates

        return fit_candidates(cls.shipped(), split, cls.load_evaluation_set())

    @classmethod
    def cache_embeddings(cls, folder: Path) -> AbstractContextManager:
        return load_encoder().cache_embeddings(folder)

    @classmethod
    def load_shipped(cls) -> Fitted:
        manifest = Shipped().manifest
        # The answers to the functional checks are shipped too, so the encoder need not run.
        return Fitted(cls.shipped(), manifest["threshold"], checks=manifest["checks"])

    @classmethod
    def load_evaluation_set(cls) -> EvaluationSet:
        return Shipped().evaluation()

    @classmethod
    def learned_before(cls) -> Fingerprints:
        return Shipped().learned()


def pick_windows(probabilities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return for each text the place of its window with the highest probability, the first of equals."""
    ends = np.append(starts[1:], len(probabilities))
    return np.array([start + int(np.argmax(probabilities[start:end])) for start, end in zip(starts, ends, strict=True)], np.intp)


def _explain(text: str, tokens: TokenReading, intercept: float) -> dict:
    """Return what each word of `text` adds to the logit, as `Engine.explain` describes it."""
    contributions = tokens.contributions.tolist()
    words: list[list] = []  # start and end in the original, contribution, number of the word
    for contribution, word, span in zip(contributions[1:-1], tokens.window.words, tokens.window.spans, strict=True):
        start, end = tokens.form.span(*span)
        # Two tokens are of one word if the tokenizer says so, or if they were made of the same characters.
        if words and (words[-1][3] == word or start < words[-1][1]):
            words[-1][1] = max(words[-1][1], end)
            words[-1][2] += contribution
            words[-1][3] = word
        else:
            words.append([start, end, contribution, word])
    return {
        "logit": sum(contributions) + intercept,
        "bias": contributions[0] + contributions[-1] + intercept,
        "words": [
            {"word": text[start:end], "start": start, "end": end, "contribution": contribution}
            for start, end, contribution, _ in words
        ],
    }
