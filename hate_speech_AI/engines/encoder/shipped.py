"""The files in `pretrained/`: the encoder, its head, fingerprints of the texts they learned from, and their evaluation set.

`recipe/` makes them.
"""

import hashlib
import io
import json
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32s, Floats
from ...errors import PretrainedError
from ...labels import TARGETS
from ...manifest import CheckFigures
from ..evaluation_set import EvaluationSet, Fingerprints

FOLDER = Path(__file__).parents[2] / "pretrained"


class ShippedManifest(TypedDict):
    """The manifest of `pretrained/`.

    "reading" is the number of the reading form that head and evaluation set are fitted for. "width" is the length of an
    embedding. "window" and "overlap" count tokens. "labels" are the rows of the head's posterior, "other_labels" those of its
    "others": see `Shipped.head` and `Shipped.others`. A folder may have none of these. "files" has the sha256 of each file.
    "checks" has the figures on the functional checks, "figures" those of the model card.
    """

    format: int
    reading: int
    width: int
    window: int
    overlap: int
    labels: list[str]
    other_labels: NotRequired[list[str]]
    threshold: float
    checks: CheckFigures
    figures: dict[str, Any]
    rows: dict[str, int]
    files: dict[str, str]


class Others(NamedTuple):
    """Labels and targets that learn nothing: a row of weights each, which no version holds.

    Attributes
    ----------
    labels : tuple of str
        Keys of `labels.MEANINGS`.
    targets : tuple of str
        Some of `labels.TARGETS`.
    weights : ndarray of float64, shape (len(labels) + len(targets), width + 1)
        The rows of the labels, then those of the targets. The intercept is last.
    """

    labels: tuple[str, ...]
    targets: tuple[str, ...]
    weights: Floats


class Shipped:
    """The files of a folder such as `pretrained/`. Each is checked before it is used.

    Every method and property raises `PretrainedError` if a file is missing or is not the one that was shipped.
    """

    def __init__(self, folder: Path = FOLDER):
        self.folder = folder

    @cached_property
    def manifest(self) -> ShippedManifest:
        path = self.folder / "manifest.json"
        try:
            manifest: ShippedManifest = json.loads(path.read_text("utf-8"))
            # The manifest has no checksum. So check here what every use of the encoder needs.
            return {
                **manifest,
                "labels": list(manifest["labels"]),
                "other_labels": list(manifest.get("other_labels", ())),
                "width": int(manifest["width"]),
                "window": int(manifest["window"]),
                "overlap": int(manifest["overlap"]),
                "files": dict(manifest["files"]),
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PretrainedError(f"{path} cannot be read ({error!r}). Install this release again.") from error

    @property
    def identity(self) -> str:
        """The sha256 over the threshold and the sha256 of every file: what makes it answer as it does."""
        return hashlib.sha256(json.dumps([self.manifest["threshold"], self.manifest["files"]]).encode()).hexdigest()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the head, in the order of its rows."""
        return tuple(self.manifest["labels"])

    def checksum(self, name: str) -> str:
        """Return the sha256 that file `name` must have."""
        return self.manifest["files"].get(name, "")

    def read(self, name: str) -> bytes:
        """Return the contents of file `name`."""
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise PretrainedError(f"{self.folder / name} is missing ({error.strerror}). Install this release again.") from error
        if hashlib.sha256(content).hexdigest() != self.checksum(name):
            raise PretrainedError(
                f"{self.folder / name} is not the file that was shipped: its sha256 differs. Install this release again."
            )
        return content

    def head(self) -> tuple[Floats, Float32s]:
        """Return the mean and the precision of the head's posterior, a row for each of `labels`.

        Returns
        -------
        mean : ndarray of float64, shape (n_labels, width + 1)
        precision : ndarray of float32, shape (n_labels, width + 1, width + 1)
        """
        arrays = self._arrays("head.npz")
        return arrays["mean"], arrays["precision"]

    def others(self) -> Others:
        """Return the labels and targets that learn nothing, and their weights.

        They are array "others" of head.npz: float32, shape (n_others, width + 1), the intercept last. The names of its rows are
        "other_labels" of the manifest, in any order. A folder without these has no others.
        """
        arrays, names = self._arrays("head.npz"), self.manifest["other_labels"]
        rows = arrays.get("others", np.empty((0, self.manifest["width"] + 1))).astype(float)
        if len(rows) != len(names):
            raise PretrainedError(
                f"{self.folder} names {len(names)} other labels of {len(rows)} rows. Install this release again."
            )
        is_target = np.array([name in TARGETS for name in names], bool)
        labels, targets = (tuple(name for name in names if (name in TARGETS) is kind) for kind in (False, True))
        return Others(labels, targets, np.concatenate([rows[~is_target], rows[is_target]]))

    def learned(self) -> Fingerprints:
        """Return the fingerprints of the texts that the encoder and the head learned from."""
        return Fingerprints(np.load(io.BytesIO(self.read("seen.npy")), allow_pickle=False))

    def evaluation(self) -> EvaluationSet:
        """Return the evaluation set. Older files do not have the array "targets"."""
        arrays = self._arrays("evaluation.npz")
        names = arrays["names"].tolist()
        return EvaluationSet(
            arrays["vectors"].astype(np.float32),
            {label: arrays[label].astype(np.int8) for label in self.labels if label in arrays},
            [names[at] for at in arrays["sources"]],
            ["test" if is_test else "validation" for is_test in arrays["is_test"]],
            arrays["keys"],
            arrays.get("targets"),
        )

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        with np.load(io.BytesIO(self.read(name)), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
