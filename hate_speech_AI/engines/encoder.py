"""Engine `encoder`: a small sentence encoder, shipped ready, and a Bayesian logistic head over the mean of its token states.

The encoder is an ONNX graph with int8 weights. Texts of one length run together and are never padded, so a text's verdict is the
same alone and among any neighbours. A text longer than the window is read in overlapping windows, and the most hateful one is its
verdict. The head is linear in a mean over tokens, so what each word adds to the logit is exact.

Only NumPy, ONNX Runtime and tokenizers are imported: scikit-learn and the like would cost each process 150 MB.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from ..embeddings import EmbeddingCache
from ..errors import CorruptVersionError, ForeignEncoderError, PretrainedError
from ..labels import read_arrays
from ..shipped import FOLDER, Shipped
from ..text import Aligned, encoder_form, fingerprint

LABELS = ("hate", "toxic")

# Small enough for the cache of one core: measured, twice as many take a tenth longer each, and fewer save nothing.
_TOKENS_AT_ONCE = 512
_CLS, _SEP = 101, 102


def moderate(logits: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the mean of the logistic function over a normal distribution of the logit (MacKay 1992), in float64.

    Where the posterior is unsure, the probability moves towards a half.
    """
    return 0.5 + 0.5 * np.tanh(logits / (2 * np.sqrt(1 + np.pi / 8 * deviation**2)))


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text that the encoder reads at once.

    Attributes
    ----------
    ids : list of int
        Token ids, with the special ones at both ends.
    spans : list of (int, int)
        For each token but the special ones, its characters in `form`.
    words : list of int
        For each token but the special ones, the number of its word.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    words: list[int]


class Encoder:
    """The shipped encoder: texts in, embeddings out. One inference session a process: get it by `load_encoder`.

    Parameters
    ----------
    folder : Path
        With `encoder.onnx`, `tokenizer.json` and `manifest.json`.
    threads : int
        How many batches of one call may run at a time. A batch has one thread: a text is too small to be shared out, and
        two threads took longer than one for fewer than eight texts.

    Raises
    ------
    PretrainedError
        A file is missing or is not the one that was shipped.
    """

    def __init__(self, folder: Path = FOLDER, threads: int = 1):
        # Not at the top: importing this module must cost the linear engine nothing.
        import onnxruntime
        from tokenizers import Tokenizer

        files = Shipped(folder)
        self.sha256 = files.sum_of("encoder.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(files.read("encoder.onnx"), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_buffer(files.read("tokenizer.json"))
        except PretrainedError:
            raise
        except Exception as error:  # their libraries raise what they like
            raise PretrainedError(f"The shipped encoder cannot be loaded: {error}. Install this release again.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.width: int = files.manifest["width"]
        self._window: int = files.manifest["window"]
        self._overlap: int = files.manifest["overlap"]
        self._pool = ThreadPoolExecutor(threads, "encoder")  # starts no thread before it has work
        self._memory: EmbeddingCache | None = None
        self._trainer = 0  # the thread that the memory is for

    def embed(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the embeddings of the windows of `texts`, and where each text's begin.

        Returns
        -------
        vectors : ndarray of float32, shape (n_windows, 384)
            Means of token states, not normalised.
        starts : ndarray of int, shape (len(texts),)
        """
        memory = self._memory
        if memory is None or threading.get_ident() != self._trainer:
            return self._embed(texts)
        return memory.embed(texts, [fingerprint(text) for text in texts], self._embed)

    def _embed(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        windows: list[list[int]] = []
        starts = np.empty(len(texts), np.intp)
        for at, ids in enumerate(self._token_ids([encoder_form(text).text for text in texts])):
            starts[at] = len(windows)
            windows += (ids[first:last] for first, last in self._bounds(len(ids)))
        vectors = np.empty((len(windows), self.width), np.float32)

        def run(places: list[int]) -> None:
            ids = np.empty((len(places), len(windows[places[0]]) + 2), np.int64)
            ids[:, 0], ids[:, -1] = _CLS, _SEP
            ids[:, 1:-1] = [windows[place] for place in places]
            vectors[places] = self._session.run(["embedding"], {"ids": ids})[0]

        batches = list(_batches(windows))
        if len(batches) == 1:
            run(batches[0])
        else:
            for _ in self._pool.map(run, batches):  # raises what a batch raised
                pass
        return vectors, starts

    def _token_ids(self, forms: list[str]) -> Iterator[list[int]]:
        if len(forms) == 1:  # a batch of one would wake the tokenizer's threads
            yield self._tokenizer.encode(forms[0], add_special_tokens=False).ids
        else:
            for encoding in self._tokenizer.encode_batch_fast(forms, add_special_tokens=False):
                yield encoding.ids

    def _bounds(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield where the windows of a text of so many tokens begin and end; the last one is as long as the others."""
        width = self._window - 2
        if count <= width:
            yield 0, count
            return
        step = width - self._overlap
        for start in range(0, count - width, step):
            yield start, start + width
        yield count - width, count

    def read(self, text: str) -> tuple[Aligned, list[Window]]:
        """Return what is read of `text`, and its windows with where their tokens stand in it."""
        form = encoder_form(text)
        encoding = self._tokenizer.encode(form.text, add_special_tokens=False)
        windows = [
            Window([_CLS, *encoding.ids[first:last], _SEP], encoding.offsets[first:last], encoding.word_ids[first:last])
            for first, last in self._bounds(len(encoding.ids))
        ]
        return form, windows

    def states(self, window: Window) -> np.ndarray:
        """Return the token states of a window: float32, shape (tokens, 384)."""
        return self._session.run(["states"], {"ids": np.array([window.ids], np.int64)})[0][0]

    @contextmanager
    def remembering(self, folder: Path) -> Iterator[None]:
        """Keep the embeddings of this thread's texts below `folder` while this lasts, and take them from there."""
        with EmbeddingCache.opened(folder, self.sha256, self.width) as memory:
            self._memory, self._trainer = memory, threading.get_ident()
            try:
                yield
            finally:
                self._memory = None


def _batches(windows: list[list[int]]) -> Iterator[list[int]]:
    """Yield places of windows of one length to run together, long ones first: no thread is left with them at the end."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for at, ids in enumerate(windows):
        by_length[len(ids)].append(at)
    for length, places in sorted(by_length.items(), reverse=True):
        size = max(1, _TOKENS_AT_ONCE // (length + 2))
        for at in range(0, len(places), size):
            yield places[at : at + size]


@cache
def load_encoder() -> Encoder:
    """Return this process's encoder; HATE_SPEECH_THREADS says how many threads it may use, 0 or nothing one for each core."""
    return Encoder(threads=int(os.environ.get("HATE_SPEECH_THREADS", "0")) or len(os.sched_getaffinity(0)))


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
