"""Soft labels: what the teachers say of texts, in one small file. With it a run can be stopped and repeated without them."""

import json
from pathlib import Path

import numpy as np

from ..text import cut_key, fingerprint


class SoftLabels:
    """The mean logits of several teachers, by text.

    Attributes
    ----------
    teachers : list of dict
        The settings of each teacher, and its figures after each part of a pass.
    """

    def __init__(self, n_labels: int):
        self.teachers: list[dict] = []
        self._keys = np.empty(0, np.uint64)  # the first 64 bits of fingerprints, ascending
        self._logits = np.empty((0, n_labels), np.float16)
        self._counts = np.empty(0, np.uint8)  # how many teachers spoke on a text

    @classmethod
    def read(cls, path: Path, n_labels: int) -> "SoftLabels":
        """Read the file; without one, nobody has said anything.

        Raises
        ------
        ValueError
            The file is of other labels.
        """
        soft = cls(n_labels)
        if path.exists():
            with np.load(path) as arrays:
                soft._keys, soft._logits, soft._counts = (arrays[name] for name in ("keys", "logits", "counts"))
                soft.teachers = json.loads(str(arrays["teachers"]))
            if soft._logits.shape[1] != n_labels:
                raise ValueError(f"{path} is of {soft._logits.shape[1]} labels, not {n_labels}. Remove it to begin again.")
        return soft

    def write(self, path: Path) -> None:
        """Write the file, in 9 bytes a text and 2 for each label."""
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            np.savez_compressed(
                file, keys=self._keys, logits=self._logits, counts=self._counts, teachers=np.array(json.dumps(self.teachers))
            )
        new.replace(path)

    def of(self, texts: list[str]) -> np.ndarray:
        """Return the mean logits of texts, NaN where no teacher spoke: float32, shape (n, n_labels)."""
        keys = _keys_of(texts)
        said = np.full((len(texts), self._logits.shape[1]), np.nan, np.float32)
        at, is_known = _find(self._keys, keys)
        said[is_known] = self._logits[at[is_known]]
        return said

    def add(self, texts: list[str], logits: np.ndarray, teacher: dict) -> None:
        """Add what one more teacher says: logits of shape (n, n_labels)."""
        new, first = np.unique(_keys_of(texts), return_index=True)
        keys = np.union1d(self._keys, new)
        totals = np.zeros((len(keys), logits.shape[1]))
        counts = np.zeros(len(keys), np.uint8)
        at = keys.searchsorted(self._keys)
        totals[at] += self._logits.astype(float) * self._counts[:, None]
        counts[at] += self._counts
        at = keys.searchsorted(new)
        totals[at] += logits[first]
        counts[at] += 1
        self._keys, self._logits, self._counts = keys, (totals / counts[:, None]).astype(np.float16), counts
        self.teachers.append(teacher)


def _keys_of(texts: list[str]) -> np.ndarray:
    return np.array([cut_key(fingerprint(text)) for text in texts], np.uint64)


def _find(keys: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where ascending `keys` have each sought one, and which of them they have."""
    at = keys.searchsorted(sought).clip(max=max(0, len(keys) - 1))
    return at, keys[at] == sought if len(keys) else np.zeros(len(sought), bool)
