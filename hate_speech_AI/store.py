"""Model versions on disk: write-once folders with a manifest, and one pointer to the active one.

    <root>/active                        the name of the active version, and "pinned" on a second line while it is
    <root>/<version>/model.npz           what the engine wrote; for the linear engine vectorizer.npz too
    <root>/<version>/reviews_hate.npz    what people said of the texts that they reviewed: a file for each label
    <root>/<version>/held_out.npz        the labels that it was measured on, for the gate
    <root>/<version>/report.html         for people
    <root>/<version>/manifest.json       written last: a folder without one is no version

The pointer is the only truth of what is active. It is replaced in one rename, so a reader sees the old version or the new one.
No file can execute on load, nor depends on the release of a library: arrays, JSON and a page. `formats.py` reads older formats.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .engines.base import Engine
from .engines.linear import LinearEngine
from .errors import (
    ChecksumError,
    CorruptVersionError,
    ForeignEngineError,
    IncompleteVersionError,
    VersionError,
    VersionMissingError,
)
from .formats import FORMAT_VERSION, name_reviews, upgrade_manifest
from .label_index import LabelIndex
from .text import fingerprint
from .version import Version

if TYPE_CHECKING:
    from .training.candidate import Candidate

logger = logging.getLogger(__name__)

_VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_MANIFEST_TYPES = {
    "labels": list,
    "reviews": dict,
    "threshold": float,
    "parameters": dict,
    "files": dict,
    "score": dict,
    "checks": dict,
    "rows": dict,
    "gate": dict,
}
# A folder may be without a manifest while it is written; after this long nobody writes it any more.
_ABANDONED_SECONDS = 3600


class Pointer(NamedTuple):
    """The active version, and whether it stays active until somebody unpins it."""

    version: str
    is_pinned: bool


class ModelStore:
    """The versions of one engine below `root`, a folder that every process of the service shares.

    Each engine has a store of its own, and so an active version of its own. The folder is made when it is first written to.
    """

    def __init__(self, root: Path | str, engine: type[Engine] = LinearEngine):
        self.root, self.engine = Path(root), engine

    def new_name(self) -> str:
        """Return a new name for a version: the time, which sorts, and a random part."""
        return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"

    def save(self, name: str, candidate: "Candidate", manifest: dict, report: str) -> None:
        """Write `candidate` as version `name`; it is not active yet.

        The manifest is complete but for what only the store knows: format, version, reviews and files.
        """
        folder = self.root / name
        folder.mkdir(parents=True)
        candidate.engine.save(folder)
        reviews = {label: name_reviews(label) for label in candidate.reviews}
        for label, file in reviews.items():
            candidate.reviews[label].save(folder / file)
        held_out = ((fingerprint(row.text), row.value) for row in candidate.held_out)
        LabelIndex.build(held_out).save(folder / "held_out.npz")
        (folder / "report.html").write_text(report, "utf-8")
        checksums = {}
        for path in sorted(folder.iterdir()):
            checksums[path.name] = _sha256(path)
            _sync(path)
        manifest = {"format": FORMAT_VERSION, "version": name, **manifest, "reviews": reviews, "files": checksums}
        _replace(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        _sync(self.root)

    def versions(self) -> list[str]:
        """Return the names of all versions, oldest first."""
        return sorted(path.parent.name for path in self.root.glob("*/manifest.json") if _VERSION_NAME.fullmatch(path.parent.name))

    def activate(self, name: str, *, pin: bool = False) -> None:
        """Activate version `name`. Pinned, it stays active until it is unpinned or another is activated by hand."""
        self.manifest(name)
        _replace(self.root / "active", name + "\n" + "pinned\n" * pin)

    def unpin(self) -> None:
        """Unpin the active version: the next version that passes the gate replaces it."""
        if pointer := self.pointer():
            self.activate(pointer.version)

    def pointer(self) -> Pointer | None:
        """Return what the store points to, or `None` before the first activation.

        Raises
        ------
        CorruptVersionError
            The pointer names no version.
        """
        try:
            name, *rest = (self.root / "active").read_text("ascii").split()
        except FileNotFoundError:
            return None
        except ValueError:  # empty, or no ASCII
            name, rest = "", []
        if not _VERSION_NAME.fullmatch(name):
            raise CorruptVersionError(
                f"The pointer {self.root / 'active'} names no version. `manage.py models activate VERSION` mends it."
            )
        return Pointer(name, rest == ["pinned"])

    def find_pointer(self) -> Pointer | None:
        """Return what the store points to; `None` if nothing, or if the pointer cannot be read, which is logged."""
        try:
            return self.pointer()
        except VersionError as error:
            logger.warning("%s", error)
            return None

    def active(self) -> str | None:
        """Return the name of the active version, or `None` before the first one; raises what `pointer` raises."""
        pointer = self.pointer()
        return pointer.version if pointer else None

    def manifest(self, name: str) -> dict:
        """Return the manifest of version `name`, as the newest format would have it.

        Raises
        ------
        VersionMissingError, IncompleteVersionError
            There is no such version, or it was never finished.
        CorruptVersionError
            The manifest is not what `save` wrote.
        IncompatibleVersionError, ForeignEngineError
            It is of a format, or of an engine, that this code does not read.
        """
        manifest = self._read_manifest(name)
        if manifest["engine"] != self.engine.name:
            raise ForeignEngineError(
                f"Version {name} is of engine {manifest['engine']!r}; these are the versions of {self.engine.name!r}."
                " The next training makes a version of the same rows."
            )
        manifest = upgrade_manifest(manifest)
        wrong = [key for key, type_ in _MANIFEST_TYPES.items() if not isinstance(manifest.get(key), type_)]
        if wrong or not 0 < manifest["threshold"] < 1:
            raise CorruptVersionError(
                f"The manifest of version {name} lacks, or holds as something else, {', '.join(wrong) or 'the threshold'}."
            )
        return manifest

    def _read_manifest(self, name: str) -> dict:
        """Return the manifest as it was written, of whatever format and engine."""
        if not _VERSION_NAME.fullmatch(name):
            raise VersionMissingError("That is no version's name. `manage.py models list` shows them.")
        folder = self.root / name
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            version = manifest["version"]
            manifest["format"], manifest["engine"]
        except (FileNotFoundError, NotADirectoryError) as error:
            if folder.is_dir():
                raise IncompleteVersionError(f"Version {name} has no manifest: it was never finished.") from error
            raise VersionMissingError(f"There is no version {name} in {self.root}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptVersionError(f"The manifest of version {name} cannot be read: {error!r}") from error
        if version != name:
            raise CorruptVersionError(f"The folder of version {name} holds the manifest of version {version}.")
        return manifest

    def load(self, name: str) -> Version:
        """Return version `name`, its files checked before anything is built from them.

        Raises the errors of `manifest`, `ChecksumError` for files that differ from their checksums, and `CorruptVersionError` for
        contents of other types or shapes.
        """
        manifest, folder = self.manifest(name), self.root / name
        for file in (*self.engine.files, *manifest["reviews"].values()):
            self._check(name, manifest, file)
        engine = self.engine.load(folder, manifest)
        reviews = {label: LabelIndex.load(folder / file) for label, file in manifest["reviews"].items()}
        return Version(engine, {label: index for label, index in reviews.items() if len(index)}, manifest)

    def held_out(self, name: str) -> LabelIndex:
        """Return the held-out rows of version `name` as they stood when it was trained; raises what `load` raises."""
        self._check(name, self.manifest(name), "held_out.npz")
        return LabelIndex.load(self.root / name / "held_out.npz")

    def report(self, name: str) -> str:
        """Return the report of version `name`, a page of HTML; raises what `load` raises."""
        self._check(name, self.manifest(name), "report.html")
        return (self.root / name / "report.html").read_text("utf-8")

    def remove(self, name: str) -> None:
        """Delete version `name`, its manifest first: without one, what is left is no version."""
        (self.root / name / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(self.root / name, ignore_errors=True)

    def sweep(self) -> list[str]:
        """Remove half-written folders that are an hour old or older, and return their names."""
        before = time.time() - _ABANDONED_SECONDS
        removed = []
        for path in self.root.glob("*"):
            if path.name.startswith(".active.") and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
            is_half = _VERSION_NAME.fullmatch(path.name) and not (path / "manifest.json").exists()
            if is_half and path.stat().st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path.name)
        return removed

    def _check(self, name: str, manifest: dict, file: str) -> None:
        try:
            found = _sha256(self.root / name / file)
        except OSError as error:
            raise ChecksumError(f"Version {name} lacks {file}: {error.strerror}") from error
        if found != manifest["files"].get(file):
            raise ChecksumError(f"{file} of version {name} is not the file that was written: its sha256 differs.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Bring a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Put `text` at `path` in one rename, on the disk when it returns."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(text, "utf-8")
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)
