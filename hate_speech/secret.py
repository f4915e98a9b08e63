"""Django's signing key, if the environment gives none."""

import os
import secrets
import zlib
from itertools import pairwise
from pathlib import Path

_MIN_LENGTH = 50
_MIN_PACKED = 40  # bytes; 50 random figures take 41 and more


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


def is_weak(key: str) -> bool:
    """Return whether a key is short, or so regular that it can be guessed.

    Packing measures both repetition and, of the steps from one character to the next, sequences such as 123456.
    """
    steps = bytes((ord(after) - ord(before)) % 256 for before, after in pairwise(key))
    packed = min(len(zlib.compress(text, 9)) for text in (key.encode(), steps))
    return len(key) < _MIN_LENGTH or packed < _MIN_PACKED
