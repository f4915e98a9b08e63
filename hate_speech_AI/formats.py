"""The formats in which versions were written, and how the older ones are read."""

from .errors import IncompatibleVersionError
from .labels import HATE, TOXIC

# What a version's folder holds. Write the newest format only; read every one. A change that old code would misread is a new
# format: add it here, add its step to `_UPGRADES`, and keep a folder of the format before as a test.
#
# 1: model.npz, with vectorizer.npz for the linear engine: weights by hashed bucket, or mean and precision of the encoder's head
#    and the encoder's checksum; held_out.npz; reviews.npz for what people said of hate, and from some release on
#    toxic_reviews.npz for the other label; report.html; threshold, score and gate in the manifest.
# 2: reviews_<label>.npz for each label that people said something of; the manifest names the labels of the engine's head
#    ("labels") and the file of each label's reviews ("reviews").
FORMAT_VERSION = 2

# Which labels each engine knew while no manifest said it.
_LABELS_OF_FORMAT_1 = {"encoder": [HATE, TOXIC], "linear": [HATE]}
_REVIEWS_OF_FORMAT_1 = {HATE: "reviews.npz", TOXIC: "toxic_reviews.npz"}


def _upgrade_1(manifest: dict) -> dict:
    files = manifest.get("files")
    there = files if isinstance(files, dict) else {}
    reviews = {label: file for label, file in _REVIEWS_OF_FORMAT_1.items() if file in there}
    return {**manifest, "labels": _LABELS_OF_FORMAT_1[manifest["engine"]], "reviews": reviews}


# From a manifest of each older format to one of the next.
_UPGRADES = {1: _upgrade_1}


def upgrade_manifest(manifest: dict) -> dict:
    """Return a manifest as the newest format would have it; "format" still says how the folder was written.

    Raises
    ------
    IncompatibleVersionError
        The version is of a format that this release does not know.
    """
    written = manifest["format"]
    if written not in range(1, FORMAT_VERSION + 1):
        raise IncompatibleVersionError(
            f"Version {manifest['version']} is of format {written}; this release reads formats 1 to {FORMAT_VERSION}."
            " The next training makes a version of the same rows."
        )
    for number in range(written, FORMAT_VERSION):
        manifest = _UPGRADES[number](manifest)
    return manifest


def name_reviews(label: str) -> str:
    """Return the name of the file of a label's reviews."""
    return f"reviews_{label}.npz"
