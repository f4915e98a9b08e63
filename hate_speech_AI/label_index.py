"""An index from fingerprint to label, without the texts. A version keeps its reviews and its held-out labels this way."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Bools, Keys
from .errors import CorruptVersionError
from .text import cut_key

# The arrays of a file. Those by likeness have a prefix; a file of held-out labels has none of them, nor have old ones.
_TYPES: dict[str, type[np.generic]] = {"keys": np.uint64, "labels": np.uint8, "n": np.int64}
_ALIKE = "alike_"


class LabelIndex:
    """A read-only map from fingerprint to label, in 17 bytes an entry.

    It keeps the first 128 bits of each fingerprint. So nobody can write a text that is taken for another.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n, 2)
        The upper and the lower half of each fingerprint, in ascending order.
    labels : ndarray of bool, shape (n,)
    alike : LabelIndex, optional
        The labels by likeness, of reviews.
    """

    def __init__(self, keys: Keys, labels: Bools, alike: "LabelIndex | None" = None):
        self._upper, self._lower, self._labels = np.ascontiguousarray(keys[:, 0]), keys[:, 1], labels
        self._alike = alike

    @classmethod
    def build(cls, labelled: Iterable[tuple[str, bool]]) -> "LabelIndex":
        """Build the index of (fingerprint, label) pairs, each fingerprint once."""
        rows = sorted((cut_key(digest), cut_key(digest, half=1), label) for digest, label in labelled)
        keys = np.array([row[:2] for row in rows], np.uint64).reshape(-1, 2)
        return cls(keys, np.array([row[2] for row in rows], bool))

    @classmethod
    def build_of_reviews(cls, reviewed: Iterable[tuple[str, str | None, bool]]) -> "LabelIndex":
        """Build the index of (fingerprint, likeness, label), each fingerprint once.

        If two texts of one likeness have different labels, neither is found by it.
        """
        exact: list[tuple[str, bool]] = []
        alike: dict[str, bool | None] = {}
        for digest, likeness, label in reviewed:
            exact.append((digest, label))
            if likeness is not None:
                alike[likeness] = label if alike.get(likeness, label) == label else None
        index = cls.build(exact)
        index._alike = cls.build((likeness, label) for likeness, label in alike.items() if label is not None)
        return index

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def keys(self) -> Keys:
        """Both halves of the first 128 bits of each fingerprint, in ascending order: uint64, shape (n, 2)."""
        return np.column_stack([self._upper, self._lower])

    @property
    def labels(self) -> Bools:
        """The labels, in the order of `keys`: bool, shape (n,)."""
        return self._labels

    def get(self, digest: str) -> bool | None:
        """Return the label of a fingerprint; `None` if the index has none."""
        at = self._find(digest)
        return None if at is None else bool(self._labels[at])

    def _find(self, digest: str) -> int | None:
        upper, lower = cut_key(digest), cut_key(digest, half=1)
        at = int(self._upper.searchsorted(np.uint64(upper)))
        while at < len(self._upper) and int(self._upper[at]) == upper:
            if int(self._lower[at]) == lower:
                return at
            at += 1
        return None

    def get_alike(self, likeness: str) -> bool | None:
        """Return the label of a likeness; `None` if the index has none."""
        return self._alike.get(likeness) if self._alike is not None else None

    def correct(self, values: Mapping[str, bool | None], likenesses: Iterable[str] = ()) -> "LabelIndex":
        """Return an index with other labels.

        Parameters
        ----------
        values : dict of str to bool or None
            Labels by fingerprint; `None` removes one. Fingerprints that the index does not have are not added.
        likenesses : iterable of str
            What is no longer found by likeness.
        """
        labels, kept = self._labels.copy(), np.ones(len(self), bool)
        for digest, value in values.items():
            at = self._find(digest)
            if at is not None and value is None:
                kept[at] = False
            elif at is not None:
                labels[at] = value
        alike = self._alike.correct(dict.fromkeys(likenesses)) if self._alike is not None else None
        return LabelIndex(self.keys[kept], labels[kept], alike)

    def save(self, path: Path) -> None:
        """Write the index to `path` as plain arrays."""
        alike = self._alike._list_arrays(_ALIKE) if self._alike is not None else {}
        np.savez(path, **self._list_arrays(), **alike)

    def _list_arrays(self, prefix: str = "") -> dict[str, Any]:
        arrays = {"keys": self.keys, "labels": np.packbits(self._labels), "n": len(self)}
        return {prefix + name: array for name, array in arrays.items()}

    @classmethod
    def load(cls, path: Path) -> "LabelIndex":
        """Read an index that `save` wrote.

        Raises
        ------
        CorruptVersionError
            The file is no archive of plain arrays, or its arrays are of other types or shapes.
        """
        arrays = read_arrays(path, _TYPES, {_ALIKE + name: type_ for name, type_ in _TYPES.items()})
        where = f"{path.name} of version {path.parent.name}"
        alike = cls._unpack(arrays, _ALIKE, where) if f"{_ALIKE}keys" in arrays else None
        return cls._unpack(arrays, "", where, alike)

    @classmethod
    def _unpack(cls, arrays: dict[str, NDArray[Any]], prefix: str, where: str, alike: "LabelIndex | None" = None) -> "LabelIndex":
        keys, labels, count = (arrays[prefix + name] for name in _TYPES)
        n = int(count) if count.shape == () else -1
        if keys.shape != (n, 2) or labels.shape != ((n + 7) // 8,):
            raise CorruptVersionError(f"{where} holds arrays of other shapes than it says.")
        return cls(keys, np.unpackbits(labels, count=n).astype(bool), alike)


def read_arrays(
    path: Path, types: Mapping[str, type[np.generic]], newer: Mapping[str, type[np.generic]] = MappingProxyType({})
) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an .npz file and check their types. Nothing in the file can execute.

    The arrays in `newer` are read too, unless the file is older and has none of them.

    Raises
    ------
    CorruptVersionError
        The file cannot be read, or an array is missing or of another type.
    """
    where = f"{path.name} of version {path.parent.name}"
    try:
        # Opened here, because NumPy leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not newer.keys().isdisjoint(archive.files):
                types = {**types, **newer}
            arrays = {name: archive[name] for name in types}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptVersionError(f"{where} cannot be read: {error}") from error
    for name, array in arrays.items():
        if array.dtype != types[name]:
            raise CorruptVersionError(f"{where} holds {name} as {array.dtype} where {np.dtype(types[name])} belongs.")
    return arrays
