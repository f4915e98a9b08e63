"""The formats in which versions are written, and how to read the older ones."""

from collections.abc import Callable
from typing import Any

from .errors import IncompatibleVersionError
from .labels import HATE, TOXIC

# What a version's folder holds. Only the newest format is written; every one is read. If old code would misread a change, the
# change is a new format: describe it here, add a step to `_UPGRADES`, and keep a folder of the format before as a test.
#
# 1: model.npz has the weights by hashed bucket (with vectorizer.npz for the linear engine), or the mean and precision of the
#    encoder's head. The manifest has the encoder's checksum, threshold, score and gate. held_out.npz has the held-out labels.
#    reviews.npz has the reviews of hate; later releases of this format add toxic_reviews.npz. report.html is the report.
# 2: reviews_<label>.npz has the reviews of a label. The manifest lists the labels of the engine's head ("labels") and names the
#    file of each label's reviews ("reviews"). Later releases of this format add the labels by likeness to that file, and the
#    number of the reading form to the parameters.
FORMAT_VERSION = 2

# The labels that each engine knew then. No manifest of format 1 lists them.
_LABELS_OF_FORMAT_1 = {"encoder": [HATE, TOXIC], "linear": [HATE]}
_REVIEWS_OF_FORMAT_1 = {HATE: "reviews.npz", TOXIC: "toxic_reviews.npz"}


def _upgrade_1(manifest: dict[str, Any]) -> dict[str, Any]:
    files = manifest.get("files")
    there = files if isinstance(files, dict) else {}
    reviews = {label: file for label, file in _REVIEWS_OF_FORMAT_1.items() if file in there}
    return {**manifest, "labels": _LABELS_OF_FORMAT_1[manifest["engine"]], "reviews": reviews}


# From each older format to the next.
_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _upgrade_1}


def upgrade_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest in the newest format. "format" still says how the folder was written.

    Raises
    ------
    IncompatibleVersionError
        The version was written in a format that this release does not know.
    """
    written = manifest["format"]
    if type(written) is not int or written not in range(1, FORMAT_VERSION + 1):
        raise IncompatibleVersionError(
            f"Version {manifest['version']} is of format {written}; this release reads formats 1 to {FORMAT_VERSION}."
            " The next training makes a version of the same rows."
        )
    for number in range(written, FORMAT_VERSION):
        manifest = _UPGRADES[number](manifest)
    parameters = manifest.get("parameters")
    return {**manifest, "parameters": {"reading": 1, **parameters}} if isinstance(parameters, dict) else manifest


def name_reviews(label: str) -> str:
    """Return the name of the file of a label's reviews."""
    return f"reviews_{label}.npz"
