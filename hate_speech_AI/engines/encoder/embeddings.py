"""A cache of embeddings on disk, by fingerprint. So a training encodes only new texts."""

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32s, Keys, Places
from ...text import READING, cut_key

logger = logging.getLogger(__name__)

Key = tuple[int, int]  # both halves of the first 128 bits of a fingerprint
Span = tuple[int, int]  # where the records of a text begin and end
Embed = Callable[[list[str]], tuple[Float32s, Places]]  # returns the embeddings of all windows, and where each text's begin


class EmbeddingCache:
    """The embeddings of one encoder, in an append-only file. One process at a time opens it.

    A record holds the first 128 bits of a text's fingerprint and the embedding of one window. The records of a text stand
    together, and the last one is marked. If a write is interrupted, the file ends in an incomplete text. The next write
    overwrites it.

    Parameters
    ----------
    path : Path
    width : int
        The length of an embedding.
    """

    def __init__(self, path: Path, width: int):
        self._path = path
        self._type = np.dtype([("key", "<u8", 2), ("last", "u1"), ("vector", "<f4", width)])
        self._map_records(path.stat().st_size // self._type.itemsize)
        ends = np.flatnonzero(self._records["last"]) + 1
        self._count = int(ends[-1]) if len(ends) else 0
        self._begins, self._ends = np.append(0, ends[:-1])[: len(ends)], ends
        keys: Keys = self._records["key"][self._begins, 0]
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        # The texts that were appended since. To sort them in with every write would cost quadratic time.
        self._recent: dict[Key, Span] = {}

    @classmethod
    @contextmanager
    def open(cls, folder: Path, encoder: str, width: int) -> Iterator[Self | None]:
        """Open the cache of an encoder, given by its sha256, below `folder`. Give `None` if another process has opened it.

        The files of other encoders, and of other reading forms, are removed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{encoder[:32]}-{READING}.bin"
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

    def embed(self, texts: list[str], fingerprints: list[str], embed: Embed) -> tuple[Float32s, Places]:
        """Return what `embed` returns for `texts`. Call it only for texts that the file lacks, and append these."""
        keys = [(cut_key(digest), cut_key(digest, half=1)) for digest in fingerprints]
        spans: dict[Key, Span] = {}
        missing: dict[Key, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if (span := self._find(key)) is None:
                missing[key] = text
            else:
                spans[key] = span
        if missing:
            spans |= self._append(list(missing), *embed(list(missing.values())))
        places = [spans[key] for key in keys]
        starts = np.cumsum([0, *(end - begin for begin, end in places)])[:-1]
        records = [np.arange(begin, end) for begin, end in places]
        vectors: Float32s = self._records["vector"][np.concatenate(records) if records else []]
        return vectors, starts

    def _find(self, key: Key) -> Span | None:
        """Return where the records of a text are; `None` if the file lacks the text."""
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

    def _append(self, keys: list[Key], vectors: Float32s, starts: Places) -> dict[Key, Span]:
        """Append the records of texts, and return where they are."""
        records = np.zeros(len(vectors), self._type)
        ends = np.append(starts[1:], len(vectors))
        records["key"] = np.repeat(np.array(keys, np.uint64), ends - starts, axis=0)
        records["last"][ends - 1] = 1
        records["vector"] = vectors
        with self._path.open("r+b") as file:
            file.seek(self._count * self._type.itemsize)
            file.truncate()
            records.tofile(file)
        spans = {
            key: (self._count + int(begin), self._count + int(end)) for key, begin, end in zip(keys, starts, ends, strict=True)
        }
        self._recent |= spans
        self._count += len(records)
        self._map_records(self._count)
        return spans

    def _map_records(self, count: int) -> None:
        self._records: NDArray[np.void] = (
            np.memmap(self._path, self._type, "r", shape=(count,)) if count else np.empty(0, self._type)
        )
