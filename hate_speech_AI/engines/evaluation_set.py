"""The evaluation set that ships with an engine. It holds labels and embeddings, and no texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bools, Float32s, Keys, Places
from ..labels import PRIMARY, TARGETS
from ..text import cut_key


class Fingerprints:
    """A set of fingerprints. It keeps the first 64 bits of each, which suffice for some hundred thousand texts.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        The first 64 bits of each fingerprint, in ascending order.
    """

    def __init__(self, keys: Keys):
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def select(self, keys: Keys) -> Bools:
        """Return which of these first halves of fingerprints it has: bool, shape (len(keys),)."""
        return np.isin(keys, self._keys)

    def __contains__(self, digest: object) -> bool:
        if not isinstance(digest, str):
            return False
        key = np.uint64(cut_key(digest))
        at = int(self._keys.searchsorted(key))
        return at < len(self._keys) and bool(self._keys[at] == key)


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled texts as embeddings, without the texts.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, width)
        The embeddings by the shipped encoder.
    labels : dict of str to ndarray of int8, shape (n,)
        For each label 1 or 0, or -1 if the source does not say. Every source says it for the primary label.
    sources : list of str, of length n
    splits : list of str, of length n
        "validation" or "test". The head was fitted on the validation texts, and thresholds are chosen on them. Nothing was fitted
        on the test texts.
    keys : ndarray of uint64, shape (n,)
        The first 64 bits of each fingerprint.
    targets : ndarray of uint32, shape (n,), or None
        The groups that each text attacks, or is about if it is harmless: bit k is `TARGETS[k]`. It is 0 if the source does not
        say. `None` if the set does not know any.
    """

    vectors: Float32s
    labels: dict[str, NDArray[np.int8]]
    sources: list[str]
    splits: list[str]
    keys: Keys
    targets: NDArray[np.uint32] | None = None

    @property
    def fingerprints(self) -> Fingerprints:
        return Fingerprints(np.sort(self.keys))

    def truth(self, label: str = PRIMARY) -> Bools:
        """Return which texts carry a label: bool, shape (n,)."""
        carries: Bools = self.labels[label] == 1
        return carries

    def list_targets(self) -> dict[str, Bools]:
        """Return which texts have each target: bool, shape (n,). Targets without a text are left out."""
        if self.targets is None:
            return {}
        places = {target: (self.targets >> at & 1).astype(bool) for at, target in enumerate(TARGETS)}
        return {target: has for target, has in places.items() if has.any()}

    def select_split(self, split: str) -> "EvaluationSet":
        """Return the texts of one split."""
        return self.take(np.flatnonzero([one == split for one in self.splits]))

    def select_known(self, label: str) -> "EvaluationSet":
        """Return the texts whose source says whether they carry a label. There may be none."""
        return self.take(np.flatnonzero(self.labels.get(label, np.full(len(self.keys), -1)) >= 0))

    def take(self, places: Places) -> "EvaluationSet":
        """Return the texts at these places."""
        labels = {label: values[places] for label, values in self.labels.items()}
        sources, splits = ([column[place] for place in places] for column in (self.sources, self.splits))
        targets = None if self.targets is None else self.targets[places]
        return EvaluationSet(self.vectors[places], labels, sources, splits, self.keys[places], targets)
