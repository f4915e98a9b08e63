"""An evaluation set that ships with an engine: labelled texts without the texts."""

from dataclasses import dataclass

import numpy as np

from ..labels import PRIMARY


class Fingerprints:
    """A set of texts, known by the first 64 bits of their fingerprints: enough to tell some hundred thousand texts apart.

    Parameters
    ----------
    keys : ndarray of uint64, ascending
    """

    def __init__(self, keys: np.ndarray):
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, digest: object) -> bool:
        if not isinstance(digest, str):
            return False
        key = np.uint64(int(digest[:16], 16))
        at = int(self._keys.searchsorted(key))
        return at < len(self._keys) and bool(self._keys[at] == key)


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled texts as embeddings, without the texts.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, width)
        The embeddings, by the encoder that ships.
    labels : dict of str to ndarray of int8, shape (n,)
        1 or 0 by label; -1 where the source does not say. Of the primary label every source says it.
    sources, splits : list of str, of length n
        A split is "validation" (the head learned from these texts; thresholds are chosen on them) or "test" (nothing did).
    keys : ndarray of uint64, shape (n,)
        The first 64 bits of each text's fingerprint.
    """

    vectors: np.ndarray
    labels: dict[str, np.ndarray]
    sources: list[str]
    splits: list[str]
    keys: np.ndarray

    @property
    def fingerprints(self) -> Fingerprints:
        return Fingerprints(np.sort(self.keys))

    def truth(self, label: str = PRIMARY) -> np.ndarray:
        """Return which texts carry a label: bool, shape (n,)."""
        return self.labels[label] == 1

    def select_split(self, split: str) -> "EvaluationSet":
        """Return the texts of one split."""
        return self._select(np.flatnonzero([one == split for one in self.splits]))

    def select_known(self, label: str) -> "EvaluationSet":
        """Return the texts whose source says whether they carry a label; none if no source does."""
        return self._select(np.flatnonzero(self.labels.get(label, np.full(len(self.keys), -1)) >= 0))

    def _select(self, places: np.ndarray) -> "EvaluationSet":
        labels = {label: values[places] for label, values in self.labels.items()}
        sources, splits = ([column[place] for place in places] for column in (self.sources, self.splits))
        return EvaluationSet(self.vectors[places], labels, sources, splits, self.keys[places])
