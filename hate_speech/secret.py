"""Django's signing key, if the environment gives none."""

import os
import secrets
from pathlib import Path


def read_secret(path: Path) -> str:
    """Return the key at `path`; "" if there is none yet. Django refuses to sign with an empty key."""
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        return ""


def make_secret(path: Path) -> None:
    """Make a key at `path` unless there is one; only its owner can read it.

    Web, worker and beat start together. Each writes a key to a file of its own, and `link` lets exactly one of them win.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    offered = path.with_name(f".{path.name}.{os.getpid()}")
    offered.touch(mode=0o600)
    offered.write_text(secrets.token_urlsafe(50), "ascii")
    try:
        os.link(offered, path)
    except FileExistsError:
        pass
    finally:
        offered.unlink()
