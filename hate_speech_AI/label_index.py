"""Labels by fingerprint, without the texts: how a version keeps its reviews and its held-out rows."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .errors import CorruptVersionError


class LabelIndex:
    """A read-only map from fingerprint to label, in 17 bytes an entry.

    It keeps the first 128 bits of each fingerprint: nobody can make a text that is taken for another.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n, 2)
        Upper and lower half of each, ascending.
    labels : ndarray of bool, shape (n,)
    """

    def __init__(self, keys: np.ndarray, labels: np.ndarray):
        self._upper, self._lower, self._labels = np.ascontiguousarray(keys[:, 0]), keys[:, 1], labels

    @classmethod
    def build(cls, labelled: Iterable[tuple[str, bool]]) -> "LabelIndex":
        """Build the index of (fingerprint, label) pairs, each fingerprint once."""
        rows = sorted((int(digest[:16], 16), int(digest[16:32], 16), label) for digest, label in labelled)
        keys = np.array([row[:2] for row in rows], np.uint64).reshape(-1, 2)
        return cls(keys, np.array([row[2] for row in rows], bool))

    def __len__(self) -> int:
        return len(self._labels)

    def get(self, digest: str) -> bool | None:
        """Return the label of a fingerprint, or `None` where there is none."""
        upper, lower = int(digest[:16], 16), int(digest[16:32], 16)
        at = int(self._upper.searchsorted(np.uint64(upper)))
        while at < len(self._upper) and int(self._upper[at]) == upper:
            if int(self._lower[at]) == lower:
                return bool(self._labels[at])
            at += 1
        return None

    def save(self, path: Path) -> None:
        """Write plain arrays to `path`."""
        np.savez(path, keys=np.column_stack([self._upper, self._lower]), labels=np.packbits(self._labels), n=len(self))

    @classmethod
    def load(cls, path: Path) -> "LabelIndex":
        """Read what `save` wrote.

        Raises
        ------
        CorruptVersionError
            The file is no archive of plain arrays, or holds others.
        """
        arrays = read_arrays(path, {"keys": np.uint64, "labels": np.uint8, "n": np.int64})
        keys, n = arrays["keys"], int(arrays["n"])
        if keys.shape != (n, 2) or arrays["labels"].shape != ((n + 7) // 8,):
            raise CorruptVersionError(f"{path.name} of version {path.parent.name} holds arrays of other shapes than it says.")
        return cls(keys, np.unpackbits(arrays["labels"], count=n).astype(bool))


def read_arrays(path: Path, types: dict[str, type]) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file by name, each of the type that it must have; nothing in it can execute.

    Raises
    ------
    CorruptVersionError
        The file cannot be read, or lacks an array, or one is of another type.
    """
    where = f"{path.name} of version {path.parent.name}"
    try:
        # Opened here, since NumPy leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in types}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptVersionError(f"{where} cannot be read: {error}") from error
    for name, array in arrays.items():
        if array.dtype != types[name]:
            raise CorruptVersionError(f"{where} holds {name} as {array.dtype} where {np.dtype(types[name])} belongs.")
    return arrays
