"""An index from fingerprint to label, without the texts. A version keeps its reviews and its held-out labels this way."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Bools, Keys
from .errors import CorruptVersionError


class LabelIndex:
    """A read-only map from fingerprint to label, in 17 bytes an entry.

    It keeps the first 128 bits of each fingerprint. So nobody can write a text that is taken for another.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n, 2)
        The upper and the lower half of each fingerprint, in ascending order.
    labels : ndarray of bool, shape (n,)
    """

    def __init__(self, keys: Keys, labels: Bools):
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
        """Return the label of a fingerprint; `None` if the index has none."""
        upper, lower = int(digest[:16], 16), int(digest[16:32], 16)
        at = int(self._upper.searchsorted(np.uint64(upper)))
        while at < len(self._upper) and int(self._upper[at]) == upper:
            if int(self._lower[at]) == lower:
                return bool(self._labels[at])
            at += 1
        return None

    def save(self, path: Path) -> None:
        """Write the index to `path` as plain arrays."""
        np.savez(path, keys=np.column_stack([self._upper, self._lower]), labels=np.packbits(self._labels), n=len(self))

    @classmethod
    def load(cls, path: Path) -> "LabelIndex":
        """Read an index that `save` wrote.

        Raises
        ------
        CorruptVersionError
            The file is no archive of plain arrays, or its arrays are of other types or shapes.
        """
        arrays = read_arrays(path, {"keys": np.uint64, "labels": np.uint8, "n": np.int64})
        keys, n = arrays["keys"], int(arrays["n"]) if arrays["n"].shape == () else -1
        if keys.shape != (n, 2) or arrays["labels"].shape != ((n + 7) // 8,):
            raise CorruptVersionError(f"{path.name} of version {path.parent.name} holds arrays of other shapes than it says.")
        return cls(keys, np.unpackbits(arrays["labels"], count=n).astype(bool))


def read_arrays(path: Path, types: Mapping[str, type[np.generic]]) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an .npz file and check their types. Nothing in the file can execute.

    Raises
    ------
    CorruptVersionError
        The file cannot be read, or an array is missing or of another type.
    """
    where = f"{path.name} of version {path.parent.name}"
    try:
        # Opened here, because NumPy leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in types}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptVersionError(f"{where} cannot be read: {error}") from error
    for name, array in arrays.items():
        if array.dtype != types[name]:
            raise CorruptVersionError(f"{where} holds {name} as {array.dtype} where {np.dtype(types[name])} belongs.")
    return arrays
