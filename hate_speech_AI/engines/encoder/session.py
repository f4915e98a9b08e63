"""The shipped encoder in an inference session. It turns texts into embeddings."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32s, Floats, Places
from ...budget import Budget
from ...cores import count_cores
from ...errors import PretrainedError
from ...text import fingerprint
from ...text.aligned import Aligned
from .embeddings import EmbeddingCache
from .shipped import FOLDER, Shipped
from .windows import CLS, SEP, Reader, Window

# So many fit in the cache of one core. Measured: with twice as many each takes a tenth longer, and fewer are no faster.
_TOKENS_AT_ONCE = 512


@dataclass(slots=True)
class TokenReading:
    """A window of a text, and the contributions of its tokens.

    Attributes
    ----------
    form : Aligned
        The encoder form of the text.
    window : Window
    contributions : ndarray of float64, shape (n_tokens,)
        What each token, special ones included, adds to the product of weights and embedding.
    """

    form: Aligned
    window: Window
    contributions: Floats = field(default_factory=lambda: np.empty(0))


class Embeddings(NamedTuple):
    """The embeddings of texts.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_windows, width)
        Means of the token states, not normalised.
    starts : ndarray of int, shape (n_texts,)
        Where the windows of each text begin.
    truncated : list of int
        The places of the texts of which a part was not read.
    """

    vectors: Float32s
    starts: Places
    truncated: list[int]


class Encoder:
    """The shipped encoder. A process has one: `load_encoder` returns it.

    Parameters
    ----------
    folder : Path
        The folder of `encoder.onnx`, `tokenizer.json` and `manifest.json`.
    threads : int
        How many batches of one call may run at once. A batch has one thread, since texts are too short to be divided among
        threads: with fewer than eight texts, two threads took longer than one.

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
        self.sha256 = files.checksum("encoder.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(files.read("encoder.onnx"), options, providers=["CPUExecutionProvider"])
            tokenizer = Tokenizer.from_buffer(files.read("tokenizer.json"))
        except PretrainedError:
            raise
        except Exception as error:  # the libraries declare no errors of their own
            raise PretrainedError(f"The shipped encoder cannot be loaded: {error}. Install this release again.") from error
        self.reader = Reader(tokenizer, files.manifest["window"], files.manifest["overlap"])
        self.width: int = files.manifest["width"]
        self._pool = ThreadPoolExecutor(threads, "encoder")  # starts no thread before it has work
        self._caches: dict[int, EmbeddingCache] = {}  # by the thread that uses it

    def embed(self, texts: list[str], budget: Budget | None = None) -> Embeddings:
        """Return the embeddings of all windows of `texts`.

        Within a training the cache answers, and nothing counts as truncated.

        Raises
        ------
        TooManyTokensError, DeadlineError, AbandonedError
            The budget says so. Tokens are counted before any text is encoded.
        """
        cache = self._caches.get(threading.get_ident())
        if cache is None:
            return self._embed(texts, budget or Budget())
        fingerprints = [fingerprint(text) for text in texts]
        return Embeddings(*cache.embed(texts, fingerprints, lambda missing: self._embed(missing, Budget())[:2]), [])

    def embed_tokens(
        self, texts: list[str], weights: Floats, budget: Budget | None = None
    ) -> tuple[Embeddings, list[TokenReading]]:
        """Return what `embed` returns, and what the tokens of each window add to the product of `weights` and its embedding.

        The encoder runs once for both. The token states are not kept, since those of a thousand texts take 200 MB.

        Parameters
        ----------
        weights : ndarray of float64, shape (width,)
        """
        budget = budget or Budget()
        readings: list[TokenReading] = []
        starts = np.empty(len(texts), np.intp)
        truncated = []
        for at, text in enumerate(texts):
            starts[at] = len(readings)
            form, windows, is_truncated = self.reader.read(text, budget)
            readings += (TokenReading(form, window) for window in windows)
            if is_truncated:
                truncated.append(at)
        vectors = np.empty((len(readings), self.width), np.float32)

        def run(places: list[int], ids: NDArray[np.int64]) -> None:
            vectors[places], states = self._session.run(["embedding", "states"], {"ids": ids})
            for place, tokens in zip(places, states, strict=True):
                readings[place].contributions = tokens.astype(float) @ weights / len(tokens)

        self._run_batches([reading.window.ids[1:-1] for reading in readings], run, budget)
        return Embeddings(vectors, starts, truncated), readings

    def _embed(self, texts: list[str], budget: Budget) -> Embeddings:
        windows: list[list[int]] = []
        starts = np.empty(len(texts), np.intp)
        truncated = []
        for at, (parts, is_truncated) in enumerate(self.reader.read_ids(texts, budget)):
            starts[at] = len(windows)
            windows += parts
            if is_truncated:
                truncated.append(at)
        vectors = np.empty((len(windows), self.width), np.float32)

        def run(places: list[int], ids: NDArray[np.int64]) -> None:
            vectors[places] = self._session.run(["embedding"], {"ids": ids})[0]

        self._run_batches(windows, run, budget)
        return Embeddings(vectors, starts, truncated)

    def _run_batches(self, windows: list[list[int]], run: Callable[[list[int], NDArray[np.int64]], None], budget: Budget) -> None:
        """Call `run` with the places and the token ids of each batch of windows. Several batches run in several threads."""

        budget.close_count()

        def run_batch(places: list[int]) -> None:
            budget.check()
            ids = np.empty((len(places), len(windows[places[0]]) + 2), np.int64)
            ids[:, 0], ids[:, -1] = CLS, SEP
            ids[:, 1:-1] = [windows[place] for place in places]
            run(places, ids)

        batches = list(_batch_windows(windows))
        if len(batches) == 1:
            run_batch(batches[0])
        else:
            for _ in self._pool.map(run_batch, batches):  # raises the error of a batch, and drops those that wait
                pass

    @contextmanager
    def cache_embeddings(self, folder: Path) -> Iterator[None]:
        """Cache the embeddings that this thread asks for below `folder`, while the context lasts."""
        with EmbeddingCache.open(folder, self.sha256, self.width) as cache:
            self._caches[threading.get_ident()] = cache
            try:
                yield
            finally:
                del self._caches[threading.get_ident()]


def _batch_windows(windows: list[list[int]]) -> Iterator[list[int]]:
    """Yield the places of windows of one length, which run together. Long ones come first, so that all threads end together."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for at, ids in enumerate(windows):
        by_length[len(ids)].append(at)
    for length, places in sorted(by_length.items(), reverse=True):
        size = max(1, _TOKENS_AT_ONCE // (length + 2))
        for at in range(0, len(places), size):
            yield places[at : at + size]


_threads: int | None = None


def set_threads(count: int) -> None:
    """Set the threads of this process's encoder: `count`, or one for each core if it is 0.

    Raises
    ------
    RuntimeError
        The encoder is loaded already.
    """
    global _threads  # noqa: PLW0603
    if load_encoder.cache_info().currsize:
        raise RuntimeError("The encoder is loaded already. Call set_threads before the first text is judged.")
    _threads = count


@cache
def load_encoder() -> Encoder:
    """Return this process's encoder.

    `set_threads` sets its threads. If nobody called that, HATE_SPEECH_THREADS does (0 by default).
    """
    count = int(os.environ.get("HATE_SPEECH_THREADS") or 0) if _threads is None else _threads
    return Encoder(threads=count or count_cores())
