"""Model versions on disk: write-once folders with a manifest, and one pointer to the active one.

    <root>/active                    the name of the active version, one line
    <root>/<version>/model.npz       what the engine wrote
    <root>/<version>/vectorizer.npz
    <root>/<version>/manifest.json   written last: a folder without one is no version

The pointer is the only truth of what is active. It is replaced in one rename, so a reader sees the old version or the new one.
"""

import hashlib
import json
import os
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

from .engines.linear import LinearEngine
from .errors import CorruptVersionError, IncompatibleVersionError, ModelMissingError
from .training import Candidate

# 1: engine linear; idf and weights by hashed bucket; threshold and score in the manifest.
FORMAT_VERSION = 1

_VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


class ModelStore:
    """The versions below `root`, a folder that every process of the service shares; made when first written to."""

    def __init__(self, root: Path | str):
        self.root = Path(root)

    def save(self, candidate: Candidate) -> str:
        """Write `candidate` as a new version and return its name; it is not active yet."""
        # The time sorts; the random part keeps two trainings of one second apart.
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        folder = self.root / name
        folder.mkdir(parents=True)
        candidate.engine.save(folder)
        sums = {}
        for file in candidate.engine.files:
            sums[file] = _sha256(folder / file)
            _sync(folder / file)
        manifest = {"format": FORMAT_VERSION, "version": name, **candidate.manifest, "files": sums}
        _replace(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        _sync(self.root)
        return name

    def activate(self, name: str) -> None:
        """Point to version `name`."""
        self.manifest(name)
        _replace(self.root / "active", name + "\n")

    def active(self) -> str | None:
        """Return the name of the active version, or `None` before the first one."""
        try:
            name = (self.root / "active").read_text("ascii").strip()
        except FileNotFoundError:
            return None
        if not _VERSION_NAME.fullmatch(name):
            raise CorruptVersionError(f"The pointer {self.root / 'active'} names no version. Train again.")
        return name

    def manifest(self, name: str) -> dict:
        """Return the manifest of version `name`.

        Raises
        ------
        ModelMissingError
            There is no such version.
        CorruptVersionError
            The manifest is not what `save` wrote.
        IncompatibleVersionError
            It is of a format or an engine that this code does not read.
        """
        try:
            manifest = json.loads((self.root / name / "manifest.json").read_text("utf-8"))
            version, written_format, engine = manifest["version"], manifest["format"], manifest["engine"]
        except FileNotFoundError as error:
            raise ModelMissingError(f"There is no version {name} in {self.root}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptVersionError(f"The manifest of version {name} cannot be read: {error!r}") from error
        if version != name:
            raise CorruptVersionError(f"The folder of version {name} holds the manifest of version {version}.")
        if written_format != FORMAT_VERSION or engine != LinearEngine.name:
            raise IncompatibleVersionError(
                f"Version {name} is of format {written_format}, engine {engine!r};"
                f" this release reads format {FORMAT_VERSION}, engine {LinearEngine.name!r}. Train again."
            )
        if missing := {"threshold", "parameters", "files", "score"} - set(manifest):
            raise CorruptVersionError(f"The manifest of version {name} lacks {', '.join(sorted(missing))}.")
        return manifest

    def load(self, name: str) -> tuple[LinearEngine, dict]:
        """Return the engine and the manifest of version `name`, its files checked before anything is built from them.

        Raises the errors of `manifest`, and `CorruptVersionError` for files that differ from their sums.
        """
        manifest = self.manifest(name)
        folder = self.root / name
        for file in LinearEngine.files:
            try:
                found = _sha256(folder / file)
            except OSError as error:
                raise CorruptVersionError(f"Version {name} lacks {file}: {error}") from error
            if found != manifest["files"].get(file):
                raise CorruptVersionError(f"{file} of version {name} is not the file that was written: its sha256 differs.")
        return LinearEngine.load(folder, manifest["parameters"]), manifest


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
