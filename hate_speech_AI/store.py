"""Model versions on disk: write-once folders with a manifest, and one pointer to the active version.

    <root>/active                        the name of the active version; "pinned" on a second line if it is pinned
    <root>/withdrawn.jsonl               the reviews that were withdrawn: see `withdrawals`
    <root>/<version>/model.npz           the model, as its engine writes it; the linear engine adds vectorizer.npz
    <root>/<version>/reviews_hate.npz    the reviews of a label, by fingerprint: one file for each label
    <root>/<version>/held_out.npz        the held-out labels as they stood in the training, for the gate
    <root>/<version>/report.html         the report, for people
    <root>/<version>/manifest.json       written last: a folder without one is no version

Only the pointer says which version is active. It is replaced in one rename, so a reader sees the old version or the new one.
The files are arrays, JSON and a page. None can execute on load, and none depends on the release of a library. `formats.py` reads
older formats.
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
from typing import TYPE_CHECKING, Any, NamedTuple

from .engines.base import Engine
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
from .manifest import JudgedManifest, Manifest, is_manifest, list_wrong_keys
from .text import fingerprint
from .version import Version

if TYPE_CHECKING:
    from .training.candidate import Candidate

logger = logging.getLogger(__name__)

# A trained version is named after its time, a shipped one after its content.
_VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}|shipped-[0-9a-f]{12}")
# A folder has no manifest while it is written. After this long its writing was interrupted.
_ABANDONED_SECONDS = 3600


class Pointer(NamedTuple):
    """The active version, and whether it is pinned: then it stays active until somebody unpins it."""

    version: str
    is_pinned: bool


class ModelStore:
    """The versions of one engine.

    Each engine has a store of its own, and so an active version of its own.

    Parameters
    ----------
    root : Path or str
        The folder of the versions, which every process of the service shares. The first write makes it.
    engine : type of Engine
    """

    def __init__(self, root: Path | str, engine: type[Engine]):
        self.root, self.engine = Path(root), engine

    def identity(self) -> str | None:
        """Return the identity of the folder; `None` if it has none yet, or is not there."""
        try:
            return (self.root / "identity").read_text("ascii").strip()
        except FileNotFoundError:
            return None

    def make_identity(self) -> str:
        """Return the identity of the folder. Give it one unless it has one; of processes that try at once, one does."""
        self.root.mkdir(parents=True, exist_ok=True)
        offered = self.root / f".identity.{uuid.uuid4().hex}"
        offered.write_text(f"{uuid.uuid4().hex}\n", "ascii")
        try:
            os.link(offered, self.root / "identity")
        except FileExistsError:
            pass
        finally:
            offered.unlink()
        return (self.root / "identity").read_text("ascii").strip()

    def new_name(self) -> str:
        """Return a new name for a version: the time (UTC), so that names sort by age, and a random part."""
        return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"

    def save(self, name: str, candidate: "Candidate", judged: JudgedManifest, report: str) -> None:
        """Write a candidate as version `name`, without activating it.

        The store completes the manifest: it adds format, version, reviews and files.
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
            checksums[path.name] = _compute_sha256(path)
            _flush(path)
        manifest: Manifest = {"format": FORMAT_VERSION, "version": name, **judged, "reviews": reviews, "files": checksums}
        _write_at_once(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        _flush(self.root)

    def versions(self) -> list[str]:
        """Return the names of all versions, oldest first."""
        names = [path.parent.name for path in self.root.glob("*/manifest.json")]
        return sorted((name for name in names if _VERSION_NAME.fullmatch(name)), key=self._get_time)

    def _get_time(self, name: str) -> str:
        """Return what sorts a version by age: the time of a trained one is in its name, that of a shipped one in its manifest."""
        if not name.startswith("shipped-"):
            return name
        try:
            return datetime.fromisoformat(self.manifest(name)["score"]["trained_at"]).strftime("%Y%m%dT%H%M%SZ")
        except (VersionError, KeyError, ValueError):
            return ""

    def activate(self, name: str, *, pin: bool = False) -> None:
        """Activate version `name`. With `pin` it stays active until it is unpinned or another is activated by hand."""
        self.manifest(name)
        _write_at_once(self.root / "active", name + "\n" + "pinned\n" * pin)

    def unpin(self) -> None:
        """Unpin the active version. The next version that passes the gate replaces it."""
        if pointer := self.pointer():
            self.activate(pointer.version)

    def pointer(self) -> Pointer | None:
        """Return the pointer; `None` before the first activation.

        Raises
        ------
        CorruptVersionError
            The pointer file does not hold the name of a version.
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
        """Return the pointer; `None` before the first activation. If it cannot be read, log that and return `None`."""
        try:
            return self.pointer()
        except VersionError as error:
            logger.warning("%s", error)
            return None

    def active(self) -> str | None:
        """Return the name of the active version; `None` before the first activation. Raises what `pointer` raises."""
        pointer = self.pointer()
        return pointer.version if pointer else None

    def manifest(self, name: str) -> Manifest:
        """Return the manifest of version `name`, in the newest format.

        Raises
        ------
        VersionMissingError
            The store has no such version.
        IncompleteVersionError
            The version was never finished.
        CorruptVersionError
            The manifest lacks something, or holds a value that cannot be right.
        IncompatibleVersionError
            The version was written in a format that this release does not know.
        ForeignEngineError
            The version was written by another engine.
        """
        manifest = self._read_manifest(name)
        if manifest["engine"] != self.engine.name:
            raise ForeignEngineError(
                f"Version {name} is of engine {manifest['engine']!r}; these are the versions of {self.engine.name!r}."
                " The next training makes a version of the same rows."
            )
        manifest = upgrade_manifest(manifest)
        if not is_manifest(manifest):
            wrong = ", ".join(list_wrong_keys(manifest))
            raise CorruptVersionError(f"The manifest of version {name} lacks, or holds as something else, {wrong}.")
        return manifest

    def _read_manifest(self, name: str) -> dict[str, Any]:
        """Return the manifest as it was written, whatever its format and engine."""
        if not _VERSION_NAME.fullmatch(name):
            raise VersionMissingError("That is no version's name. `manage.py models list` shows them.")
        folder = self.root / name
        try:
            manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
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
        """Load version `name`. Check the checksum of every file before anything is built from it.

        Raises
        ------
        VersionError
            The version cannot be served. It is one of the errors of `manifest`, `ChecksumError` for a file that differs from its
            checksum, `CorruptVersionError` for arrays of wrong types or shapes, or an error of the engine's `load`.
        """
        manifest, folder = self.manifest(name), self.root / name
        for file in (*self.engine.files, *manifest["reviews"].values()):
            self._verify_checksum(name, manifest, file)
        engine = self.engine.load(folder, manifest)
        reviews = {label: LabelIndex.load(folder / file) for label, file in manifest["reviews"].items()}
        return Version(engine, {label: index for label, index in reviews.items() if len(index)}, manifest)

    def held_out(self, name: str) -> LabelIndex:
        """Return the held-out labels of version `name` as they stood in its training. Raises what `load` raises."""
        self._verify_checksum(name, self.manifest(name), "held_out.npz")
        return LabelIndex.load(self.root / name / "held_out.npz")

    def report(self, name: str) -> str:
        """Return the report of version `name`: a page of HTML. Raises what `load` raises."""
        self._verify_checksum(name, self.manifest(name), "report.html")
        return (self.root / name / "report.html").read_text("utf-8")

    def remove(self, name: str) -> None:
        """Delete version `name`, its manifest first. An interrupted deletion leaves a folder that is no version."""
        (self.root / name / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(self.root / name, ignore_errors=True)

    def sweep(self) -> list[str]:
        """Remove folders whose writing was interrupted an hour ago or earlier, and return their names."""
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

    def _verify_checksum(self, name: str, manifest: Manifest, file: str) -> None:
        try:
            found = _compute_sha256(self.root / name / file)
        except OSError as error:
            raise ChecksumError(f"Version {name} lacks {file}: {error.strerror}") from error
        if found != manifest["files"].get(file):
            raise ChecksumError(f"{file} of version {name} is not the file that was written: its sha256 differs.")


def _compute_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_at_once(path: Path, text: str) -> None:
    """Write `text` to `path` in one rename, and flush it to the disk."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(text, "utf-8")
    _flush(temporary)
    temporary.replace(path)
    _flush(path.parent)
