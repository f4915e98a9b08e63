"""The shipped encoder in an inference session: texts in, embeddings out."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...errors import PretrainedError
from ...text import fingerprint
from ...text.encoder_form import Aligned, encoder_form
from .embeddings import EmbeddingCache
from .shipped import FOLDER, Shipped

# Small enough for the cache of one core: measured, twice as many take a tenth longer each, and fewer save nothing.
_TOKENS_AT_ONCE = 512
_CLS, _SEP = 101, 102


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
