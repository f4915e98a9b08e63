"""Embeddings kept on disk by fingerprint, so that a night's training encodes only the texts that are new."""

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

logger = logging.getLogger(__name__)

Key = tuple[int, int]  # both halves of the first 128 bits of a fingerprint


class EmbeddingCache:
    """The embeddings of one encoder, in a file that is only appended to. One process at a time has it open.

    A record is the first 128 bits of a text's fingerprint and the embedding of a window. A text's windows stand together, the
    last one marked. A write that was cut off leaves half a text at the end, which the next write replaces.

    Parameters
    ----------
    path : Path
    width : int
        Of an embedding.
    """

    def __init__(self, path: Path, width: int):
        self._path = path
        self._type = np.dtype([("key", "<u8", 2), ("last", "u1"), ("vector", "<f4", width)])
        self._map(path.stat().st_size // self._type.itemsize)
        ends = np.flatnonzero(self._records["last"]) + 1
        self._count = int(ends[-1]) if len(ends) else 0
        self._begins, self._ends = np.append(0, ends[:-1])[: len(ends)], ends
        keys = self._records["key"][self._begins, 0]
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._recent: dict[Key, tuple[int, int]] = {}  # what came since; sorting all anew for each would cost a square

    @classmethod
    @contextmanager
    def open(cls, folder: Path, encoder: str, width: int) -> Iterator[Self | None]:
        """Give the cache of an encoder (its sha256) below `folder`, or `None` while another process has it.

        Files of other encoders are removed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{encoder[:32]}.bin"
        for other in folder.glob("*.bin"):
            if other != path:
                other.unlink(missing_ok=True)
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                logger.warning("Another training uses the embeddings in %s: this one encodes every text.", folder)
                yield None
            else:
                yield cls(path, width)

    def embed(
        self, texts: list[str], fingerprints: list[str], embed: Callable[[list[str]], tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `embed` returns for `texts`, from the file where it is there; append what is missing."""
        keys = [(int(digest[:16], 16), int(digest[16:32], 16)) for digest in fingerprints]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if self._find(key) is None}
        if missing:
            self._append(list(missing), *embed(list(missing.values())))
        places = [self._find(key) for key in keys]
        starts = np.cumsum([0, *(end - begin for begin, end in places)])[:-1]
        records = [np.arange(begin, end) for begin, end in places]
        return self._records["vector"][np.concatenate(records) if records else []], starts

    def _find(self, key: Key) -> tuple[int, int] | None:
        if key in self._recent:
            return self._recent[key]
        at = int(self._keys.searchsorted(np.uint64(key[0])))
        while at < len(self._keys) and int(self._keys[at]) == key[0]:
            text = self._order[at]
            begin, end = int(self._begins[text]), int(self._ends[text])
            if int(self._records["key"][begin, 1]) == key[1]:
                return begin, end
            at += 1
        return None

    def _append(self, keys: list[Key], vectors: np.ndarray, starts: np.ndarray) -> None:
        records = np.zeros(len(vectors), self._type)
        ends = np.append(starts[1:], len(vectors))
        records["key"] = np.repeat(np.array(keys, np.uint64), ends - starts, axis=0)
        records["last"][ends - 1] = 1
        records["vector"] = vectors
        with self._path.open("r+b") as file:
            file.seek(self._count * self._type.itemsize)
            file.truncate()
            records.tofile(file)
        for key, begin, end in zip(keys, starts, ends, strict=True):
            self._recent[key] = self._count + int(begin), self._count + int(end)
        self._count += len(records)
        self._map(self._count)

    def _map(self, count: int) -> None:
        self._records = np.memmap(self._path, self._type, "r", shape=(count,)) if count else np.empty(0, self._type)
