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

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32s, Floats, Places
from ...cores import count_cores
from ...errors import PretrainedError
from ...text import fingerprint
from ...text.encoder_form import Aligned, encoder_form
from .embeddings import EmbeddingCache
from .shipped import FOLDER, Shipped

# So many fit in the cache of one core. Measured: with twice as many each takes a tenth longer, and fewer are no faster.
_TOKENS_AT_ONCE = 512
_CLS, _SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that the encoder reads at once.

    Attributes
    ----------
    ids : list of int
        Token ids, with the special ones at both ends.
    spans : list of (int, int)
        The characters in the encoder form of each token but the special ones.
    words : list of int or None
        The number of the word of each token but the special ones; `None` if the tokenizer assigns it to no word.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    words: list[int | None]


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
            self._tokenizer = Tokenizer.from_buffer(files.read("tokenizer.json"))
        except PretrainedError:
            raise
        except Exception as error:  # the libraries declare no errors of their own
            raise PretrainedError(f"The shipped encoder cannot be loaded: {error}. Install this release again.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.width: int = files.manifest["width"]
        self._window: int = files.manifest["window"]
        self._overlap: int = files.manifest["overlap"]
        self._pool = ThreadPoolExecutor(threads, "encoder")  # starts no thread before it has work
        self._cache: EmbeddingCache | None = None
        self._trainer = 0  # the thread that uses the cache

    def embed(self, texts: list[str]) -> tuple[Float32s, Places]:
        """Return the embeddings of all windows of `texts`, and where those of each text begin.

        Returns
        -------
        vectors : ndarray of float32, shape (n_windows, width)
            Means of the token states, not normalised.
        starts : ndarray of int, shape (len(texts),)
        """
        cache = self._cache
        if cache is None or threading.get_ident() != self._trainer:
            return self._embed(texts)
        return cache.embed(texts, [fingerprint(text) for text in texts], self._embed)

    def embed_tokens(self, texts: list[str], weights: Floats) -> tuple[Float32s, Places, list[TokenReading]]:
        """Return what `embed` returns, and what the tokens of each window add to the product of `weights` and its embedding.

        The encoder runs once for both. The token states are not kept, since those of a thousand texts take 200 MB.

        Parameters
        ----------
        weights : ndarray of float64, shape (width,)
        """
        readings: list[TokenReading] = []
        starts = np.empty(len(texts), np.intp)
        for at, text in enumerate(texts):
            starts[at] = len(readings)
            form, windows = self.read(text)
            readings += (TokenReading(form, window) for window in windows)
        vectors = np.empty((len(readings), self.width), np.float32)

        def run(places: list[int], ids: NDArray[np.int64]) -> None:
            vectors[places], states = self._session.run(["embedding", "states"], {"ids": ids})
            for place, tokens in zip(places, states, strict=True):
                readings[place].contributions = tokens.astype(float) @ weights / len(tokens)

        self._run_batches([reading.window.ids[1:-1] for reading in readings], run)
        return vectors, starts, readings

    def _embed(self, texts: list[str]) -> tuple[Float32s, Places]:
        windows: list[list[int]] = []
        starts = np.empty(len(texts), np.intp)
        for at, ids in enumerate(self._token_ids([encoder_form(text).text for text in texts])):
            starts[at] = len(windows)
            windows += (ids[first:last] for first, last in self._bounds(len(ids)))
        vectors = np.empty((len(windows), self.width), np.float32)

        def run(places: list[int], ids: NDArray[np.int64]) -> None:
            vectors[places] = self._session.run(["embedding"], {"ids": ids})[0]

        self._run_batches(windows, run)
        return vectors, starts

    def _run_batches(self, windows: list[list[int]], run: Callable[[list[int], NDArray[np.int64]], None]) -> None:
        """Call `run` with the places and the token ids of each batch of windows. Several batches run in several threads."""

        def run_batch(places: list[int]) -> None:
            ids = np.empty((len(places), len(windows[places[0]]) + 2), np.int64)
            ids[:, 0], ids[:, -1] = _CLS, _SEP
            ids[:, 1:-1] = [windows[place] for place in places]
            run(places, ids)

        batches = list(_batch_windows(windows))
        if len(batches) == 1:
            run_batch(batches[0])
        else:
            for _ in self._pool.map(run_batch, batches):  # raises the error of a batch
                pass

    def _token_ids(self, forms: list[str]) -> Iterator[list[int]]:
        if len(forms) == 1:  # a batch of one would wake the tokenizer's threads
            yield self._tokenizer.encode(forms[0], add_special_tokens=False).ids
        else:
            for encoding in self._tokenizer.encode_batch_fast(forms, add_special_tokens=False):
                yield encoding.ids

    def _bounds(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield where each window of a text with so many tokens begins and ends. The last one is as long as the others."""
        width = self._window - 2
        if count <= width:
            yield 0, count
            return
        step = width - self._overlap
        for start in range(0, count - width, step):
            yield start, start + width
        yield count - width, count

    def read(self, text: str) -> tuple[Aligned, list[Window]]:
        """Return the encoder form of `text` and its windows."""
        form = encoder_form(text)
        encoding = self._tokenizer.encode(form.text, add_special_tokens=False)
        windows = [
            Window([_CLS, *encoding.ids[first:last], _SEP], encoding.offsets[first:last], encoding.word_ids[first:last])
            for first, last in self._bounds(len(encoding.ids))
        ]
        return form, windows

    @contextmanager
    def cache_embeddings(self, folder: Path) -> Iterator[None]:
        """Cache the embeddings that this thread asks for below `folder`, while the context lasts."""
        with EmbeddingCache.open(folder, self.sha256, self.width) as cache:
            self._cache, self._trainer = cache, threading.get_ident()
            try:
                yield
            finally:
                self._cache = None


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
    count = int(os.environ.get("HATE_SPEECH_THREADS", "0")) if _threads is None else _threads
    return Encoder(threads=count or count_cores())
