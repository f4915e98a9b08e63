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
    """The embeddings of one encoder, in an append-only file. One at a time writes to it, and others read it meanwhile.

    A record holds the first 128 bits of a text's fingerprint and the embedding of one window. The records of a text stand
    together, and the last one is marked. If a write is interrupted, the file ends in an incomplete text. The next write
    overwrites it.

    Parameters
    ----------
    path : Path
    width : int
        The length of an embedding.
    is_writable : bool
        Whether the file takes what it lacks. If another has it open, it does not.
    """

    def __init__(self, path: Path, width: int, is_writable: bool = True):
        self._path, self._is_writable = path, is_writable
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
    def open(cls, folder: Path, encoder: str, width: int) -> Iterator[Self]:
        """Open the cache of an encoder, given by its sha256, below `folder`. If another has opened it, it is only read.

        The files of other encoders, and of other reading forms, are removed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = cls.find_path(folder, encoder)
        for other in folder.glob("*.bin"):
            if other != path:
                other.unlink(missing_ok=True)
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                logger.warning("Another training writes the embeddings in %s: this one does not keep those of new texts.", folder)
                yield cls(path, width, is_writable=False)
            else:
                yield cls(path, width)

    @staticmethod
    def find_path(folder: Path, encoder: str) -> Path:
        """Return the file of an encoder, given by its sha256, below `folder`."""
        return folder / f"{encoder[:32]}-{READING}.bin"

    def embed(self, texts: list[str], fingerprints: list[str], embed: Embed) -> tuple[Float32s, Places]:
        """Return what `embed` returns for `texts`. Call it only for texts that the file lacks, and append these if it may."""
        keys = [(cut_key(digest), cut_key(digest, half=1)) for digest in fingerprints]
        spans: dict[Key, Span] = {}
        missing: dict[Key, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if (span := self._find(key)) is None:
                missing[key] = text
            else:
                spans[key] = span
        new: Float32s = np.empty((0, self._type["vector"].shape[0]), np.float32)
        if missing:
            vectors, begins = embed(list(missing.values()))
            if self._is_writable:
                spans |= self._append(list(missing), vectors, begins)
            else:
                spans |= _list_spans(list(missing), begins, len(vectors), self._count)
                new = vectors
        places = [spans[key] for key in keys]
        starts = np.cumsum([0, *(end - begin for begin, end in places)])[:-1]
        records = np.concatenate([np.arange(begin, end) for begin, end in places] or [np.empty(0, np.intp)])
        is_new = records >= self._count
        found = np.empty((len(records), new.shape[1]), np.float32)
        found[~is_new] = self.read_vectors(records[~is_new])
        found[is_new] = new[records[is_new] - self._count]
        return found, starts

    def locate(self, keys: Keys) -> tuple[Places, Places]:
        """Return where the records of many texts begin and end: -1 and -1 for a text that the file lacks.

        Parameters
        ----------
        keys : ndarray of uint64, shape (n, 2)
            Both halves of the first 128 bits of each fingerprint.
        """
        begins, ends = np.full((2, len(keys)), -1, np.intp)
        at = self._keys.searchsorted(keys[:, 0])
        places = np.flatnonzero(at < len(self._keys))
        texts = self._order[at[places]]
        # Of two texts with the same first half only the first is found. There is hardly such a pair in the world.
        is_same = (self._records["key"][self._begins[texts]] == keys[places]).all(1)
        begins[places[is_same]], ends[places[is_same]] = self._begins[texts[is_same]], self._ends[texts[is_same]]
        return begins, ends

    def read_vectors(self, records: Places) -> Float32s:
        """Return the vectors of records: float32, shape (n, width)."""
        vectors: Float32s = self._records["vector"][records]
        return vectors

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
        spans = _list_spans(keys, starts, len(vectors), self._count)
        self._recent |= spans
        self._count += len(records)
        self._map_records(self._count)
        return spans

    def _map_records(self, count: int) -> None:
        self._records: NDArray[np.void] = (
            np.memmap(self._path, self._type, "r", shape=(count,)) if count else np.empty(0, self._type)
        )


def _list_spans(keys: list[Key], starts: Places, n_windows: int, first: int) -> dict[Key, Span]:
    """Return where the records of texts are if those of their windows stand together from record `first` on."""
    ends = np.append(starts[1:], n_windows)
    return {key: (first + int(begin), first + int(end)) for key, begin, end in zip(keys, starts, ends, strict=True)}
