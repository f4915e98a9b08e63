"""What this release ships beside its code, in `pretrained/`: the encoder, its head, what they learned from and what they are
measured on. How it was made is in `recipe/`."""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...errors import PretrainedError

FOLDER = Path(__file__).parents[2] / "pretrained"


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

    def __contains__(self, digest: str) -> bool:
        key = np.uint64(int(digest[:16], 16))
        at = int(self._keys.searchsorted(key))
        return at < len(self._keys) and self._keys[at] == key


@dataclass(frozen=True)
class Evaluation:
    """Labelled texts as embeddings, without the texts.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, 384)
    hate : ndarray of bool, shape (n,)
    toxic : ndarray of int8, shape (n,)
        1 or 0; -1 where the source does not say.
    sources, splits : list of str, of length n
        A split is "validation" (the head learned from these; thresholds are chosen on them) or "test" (nothing did).
    keys : ndarray of uint64, shape (n,)
        The first 64 bits of each text's fingerprint.
    """

    vectors: np.ndarray
    hate: np.ndarray
    toxic: np.ndarray
    sources: list[str]
    splits: list[str]
    keys: np.ndarray

    @property
    def fingerprints(self) -> Fingerprints:
        return Fingerprints(np.sort(self.keys))

    def part(self, split: str) -> "Evaluation":
        """Return what is of one split."""
        at = np.flatnonzero([one == split for one in self.splits])
        sources = [self.sources[place] for place in at]
        return Evaluation(self.vectors[at], self.hate[at], self.toxic[at], sources, [split] * len(at), self.keys[at])


class Shipped:
    """The files of a folder such as `pretrained/`, each checked before it is used.

    Every method and property raises `PretrainedError` where a file is missing or is not the one that was shipped.
    """

    def __init__(self, folder: Path = FOLDER):
        self.folder = folder

    @cached_property
    def manifest(self) -> dict:
        """Sums of the files, the window, the threshold, figures."""
        path = self.folder / "manifest.json"
        try:
            manifest = json.loads(path.read_text("utf-8"))
            return {**manifest, "files": dict(manifest["files"])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PretrainedError(f"{path} cannot be read ({error!r}). Install this release again.") from error

    def sum_of(self, name: str) -> str:
        """Return the sha256 that file `name` must have."""
        return self.manifest["files"].get(name, "")

    def read(self, name: str) -> bytes:
        """Return the contents of file `name`."""
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise PretrainedError(f"{self.folder / name} is missing ({error.strerror}). Install this release again.") from error
        if hashlib.sha256(content).hexdigest() != self.sum_of(name):
            raise PretrainedError(
                f"{self.folder / name} is not the file that was shipped: its sha256 differs. Install this release again."
            )
        return content

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the head's mean (float64, shape (2, 385)) and precision (float32, shape (2, 385, 385)), for hate and toxic."""
        arrays = self._arrays("head.npz")
        return arrays["mean"], arrays["precision"]

    def learned(self) -> Fingerprints:
        """Return what the weights and the head learned from."""
        return Fingerprints(np.load(io.BytesIO(self.read("seen.npy")), allow_pickle=False))

    def evaluation(self) -> Evaluation:
        """Return the frozen evaluation set."""
        arrays = self._arrays("evaluation.npz")
        names = arrays["names"].tolist()
        return Evaluation(
            arrays["vectors"].astype(np.float32),
            arrays["hate"],
            arrays["toxic"],
            [names[at] for at in arrays["sources"]],
            ["test" if is_test else "validation" for is_test in arrays["is_test"]],
            arrays["keys"],
        )

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        with np.load(io.BytesIO(self.read(name)), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
