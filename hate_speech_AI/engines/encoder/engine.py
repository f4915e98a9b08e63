"""The encoder with a head for each label: it judges texts and explains its judgements."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...arrays import Float32s, Floats
from ...budget import Budget
from ...errors import CorruptVersionError, ForeignEncoderError
from ...label_index import LabelIndex, read_arrays
from ...labels import raise_implied
from ...manifest import Manifest
from ...text import READING
from ..base import Engine, Fitted, Judgement, Losses
from ..evaluation_set import EvaluationSet, Fingerprints
from ..reasons import Explanation, Influence
from .embeddings import EmbeddingCache
from .influence import append_constant
from .session import Encoder, TokenReading, load_encoder
from .shipped import Others, Shipped
from .windows import pick_windows

if TYPE_CHECKING:
    from ...training.progress import Steps
    from ...training.rows import Row, Split
    from .tracing import Tracer


def moderated_probability(logits: Floats, deviations: Floats) -> Floats:
    """Return the probability, averaged over the posterior of the logit: a normal distribution.

    This is the approximation by MacKay (1992, "moderated outputs"). Where the posterior is wide, the probability moves towards a
    half.

    Parameters
    ----------
    logits, deviations : ndarray of float64, shape (n,)
        Mean and standard deviation of the logits.
    """
    probabilities: Floats = 0.5 + 0.5 * np.tanh(logits / (2 * np.sqrt(1 + np.pi / 8 * deviations**2)))
    return probabilities


class EncoderEngine(Engine):
    """The encoder with a head for each label.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_labels, width + 1)
        Mean of the posterior over the weights, a row for each label. The intercept is last.
    precision : ndarray of float32, shape (n_labels, width + 1, width + 1)
        Precision of the posterior.
    encoder : Encoder, optional
        The default is the encoder of this process, which is loaded when it is first needed.
    labels : tuple of str, optional
        The labels of the rows. The default is those of the shipped head.
    others : Others, optional
        Labels and targets that learn nothing. The default is none.
    """

    name = "encoder"
    files = ("model.npz",)
    can_explain = True
    can_forget = True
    is_shipped_ready = True

    def __init__(
        self,
        mean: Floats,
        precision: Float32s,
        encoder: Encoder | None = None,
        labels: tuple[str, ...] | None = None,
        others: Others | None = None,
    ):
        self.mean, self.precision = mean, precision
        self.labels = Shipped().labels if labels is None else labels
        self._given_encoder, self._others = encoder, others
        if others is not None:
            self.other_labels, self.targets = others.labels, others.targets
        # All labels take one matrix product.
        self._weights = mean if others is None else np.vstack([mean, others.weights])
        # x' P^-1 x is the squared length of L^-1 x, with P = L L'. L^-1 is float32, since reading it takes most of the time.
        self.whitening: Float32s = np.linalg.inv(np.linalg.cholesky(precision.astype(float))).astype(np.float32)
        self._tracer: tuple[LabelIndex, int, Tracer] | None = None

    @cached_property
    def encoder(self) -> Encoder:
        return self._given_encoder or load_encoder()

    def judge(self, texts: list[str], budget: Budget | None = None) -> Judgement:
        """Return the judgement on `texts`. The window with the highest probability of the first label decides."""
        vectors, starts, truncated = self.encoder.embed(texts, budget)
        judgement = self.judge_embeddings(vectors)
        if len(vectors) != len(texts):
            judgement = judgement.take(pick_windows(judgement[self.labels[0]], starts))
        judgement.truncated = truncated
        return judgement

    def embed(self, texts: list[str]) -> Float32s:
        """Return the embedding of each text: shape (n, width). A long text has that of the window that decides in `judge`."""
        vectors, starts, _ = self.encoder.embed(texts)
        if len(vectors) == len(texts):
            return vectors
        return vectors[pick_windows(self.judge_embeddings(vectors)[self.labels[0]], starts)]

    def embed_influence(self, texts: list[str]) -> Float32s:
        """Return the whitened embedding of each text: shape (n, width + 1)."""
        return self.whiten(self.embed(texts))

    def whiten(self, vectors: Float32s) -> Float32s:
        """Return embeddings in the metric of the first label's posterior: shape (n, width + 1).

        The inner product of two of them is x' P^-1 z. To first order, a review of x moves the logit of z in proportion to it.

        Parameters
        ----------
        vectors : ndarray of float32, shape (n, width)
        """
        whitened: Float32s = append_constant(vectors).astype(np.float32) @ self.whitening[0].T
        return whitened

    def judge_embeddings(self, vectors: Float32s) -> Judgement:
        """Return the judgement on embeddings, shape (n, width)."""
        extended = append_constant(vectors)
        logits = extended @ self._weights.T
        learned, known = len(self.labels), len(self.labels) + len(self.other_labels)
        rows = self.whitening.reshape(-1, extended.shape[1])  # one product for all labels
        whitened = (extended.astype(np.float32) @ rows.T).reshape(len(vectors), learned, extended.shape[1])
        deviations = np.zeros_like(logits)  # what learns nothing has no posterior
        deviations[:, :learned] = np.sqrt(np.square(whitened).sum(2, dtype=float))
        columns = moderated_probability(logits, deviations).T
        probabilities = raise_implied(dict(zip(self.labels, columns[:learned], strict=True)))
        probabilities.update(zip(self.other_labels, columns[learned:known], strict=True))
        return Judgement(probabilities, deviations[:, 0], columns[known:].T if self.targets else None)

    def judge_evaluation_set(self, texts: EvaluationSet) -> Judgement:
        return self.judge_embeddings(texts.vectors)

    def explain(self, texts: list[str], budget: Budget | None = None) -> tuple[Judgement, list[Explanation]]:
        """Return the judgement on `texts`, and what each word adds to the logit of the first label.

        1. Encode each text once. As in `judge`, the window with the highest probability decides.
        2. The logit is the weights of the head times the mean of the token states, plus the intercept. So it is a sum over
           tokens.
        3. Add up the tokens of each word of the original text. The special tokens belong to the bias.
        """
        (vectors, starts, truncated), tokens = self.encoder.embed_tokens(texts, self.mean[0, :-1], budget)
        windows = self.judge_embeddings(vectors)
        best = pick_windows(windows[self.labels[0]], starts)
        intercept = float(self.mean[0, -1])
        explanations = [_explain(text, tokens[at], intercept) for text, at in zip(texts, best.tolist(), strict=True)]
        judgement = windows.take(best)
        judgement.truncated = truncated
        return judgement, explanations

    def trace(self, text: str, reviews: LabelIndex, folder: Path, budget: Budget | None = None) -> Influence:
        from .tracing import Tracer

        budget = budget or Budget()
        path = EmbeddingCache.find_path(folder, self.encoder.sha256)
        size = path.stat().st_size if path.exists() else 0
        # A training that goes on adds to the file. Only what was missing is worth to be looked for again.
        if self._tracer is None or self._tracer[0] is not reviews or (self._tracer[2].n_missing and self._tracer[1] != size):
            self._tracer = reviews, size, Tracer(self, reviews, path, budget)
        return self._tracer[2].trace(text, budget)

    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: plain arrays. The encoder is not copied. The manifest has its sha256."""
        np.savez(folder / "model.npz", mean=self.mean, precision=self.precision)

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> Self:
        """Load the engine that `save` wrote.

        Raises
        ------
        ForeignEncoderError
            The head was trained for another encoder than the one that this release ships.
        CorruptVersionError
            The file is no archive of plain arrays, or they are no posterior.
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
            return cls(mean, precision, labels=labels, others=Shipped().others())
        except np.linalg.LinAlgError as error:
            raise CorruptVersionError(f"{what} holds a precision that is not positive definite.") from error

    @classmethod
    def shipped(cls) -> Self:
        """Return the engine with the shipped head; raises `PretrainedError`."""
        files = Shipped()
        return cls(*files.head(), labels=files.labels, others=files.others())

    def with_head(self, mean: Floats, precision: Float32s) -> "EncoderEngine":
        """Return an engine with the same encoder and labels, and another head."""
        return EncoderEngine(mean, precision, self._given_encoder, self.labels, self._others)

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        from .updating import TAUS  # not at the top: serving does not need it

        files = Shipped()
        encoder, head = files.checksum("encoder.onnx"), files.checksum("head.npz")
        return {"encoder": encoder, "head": head, "reading": READING, "taus": list(TAUS)}

    @classmethod
    def fit_candidates(cls, split: "Split") -> "Steps[list[Fitted]]":
        from .updating import fit_candidates

        return fit_candidates(cls.shipped(), split, cls.load_evaluation_set())

    def forget(self, lessons: "Mapping[str, list[Row]]") -> "Steps[Engine]":
        from .updating import forget_rows

        return forget_rows(self, self.shipped(), lessons)

    def estimate_harm(self, rows: "list[Row]", losses: Losses) -> Floats:
        lost, pulls = self.embed(losses.texts), losses.pulls
        if losses.evaluation is not None:
            lost = np.concatenate([lost, losses.evaluation.vectors])
            pulls = np.append(pulls, losses.evaluation_pulls)
        vectors = self.embed([row.text for row in rows])
        surprise = np.array([row.value for row in rows], float) - self.judge_embeddings(vectors)[self.labels[0]]
        towards = np.linalg.solve(self.precision[0].astype(float), pulls @ append_constant(lost))
        harm: Floats = surprise * (append_constant(vectors) @ towards)
        return harm

    @classmethod
    def cache_embeddings(cls, folder: Path) -> AbstractContextManager[None]:
        return load_encoder().cache_embeddings(folder)

    @classmethod
    def load_shipped(cls) -> Fitted:
        manifest = Shipped().manifest
        # The figures on the functional checks are shipped too, so the encoder need not run.
        return Fitted(cls.shipped(), manifest["threshold"], checks=manifest["checks"])

    @classmethod
    def name_shipped(cls) -> str:
        return f"shipped-{Shipped().identity[:12]}"

    @classmethod
    def load_evaluation_set(cls) -> EvaluationSet:
        return Shipped().evaluation()

    @classmethod
    def learned_before(cls) -> Fingerprints:
        return Shipped().learned()


@dataclass(slots=True)
class _Word:
    """A word while its tokens are added up: its characters in the original, and its number by the tokenizer."""

    start: int
    end: int
    contribution: float
    number: int | None


def _explain(text: str, tokens: TokenReading, intercept: float) -> Explanation:
    """Return what each word of `text` adds to the logit."""
    contributions: list[float] = tokens.contributions.tolist()
    words: list[_Word] = []
    for contribution, number, span in zip(contributions[1:-1], tokens.window.words, tokens.window.spans, strict=True):
        start, end = tokens.form.span(*span)
        # Two tokens belong to one word if the tokenizer says so, or if they come from the same characters.
        if words and (words[-1].number == number or words[-1].start <= start < words[-1].end):
            last = words[-1]
            last.end, last.number = max(last.end, end), number
            last.contribution += contribution
        else:
            words.append(_Word(start, end, contribution, number))
    return {
        "logit": sum(contributions) + intercept,
        "bias": contributions[0] + contributions[-1] + intercept,
        "words": [
            {"word": text[one.start : one.end], "start": one.start, "end": one.end, "contribution": one.contribution}
            for one in sorted(words, key=lambda one: one.start)  # what markup hides is read last
        ],
    }
