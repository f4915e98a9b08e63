"""The key that Django signs with, where the environment gives none."""

import os
import secrets
from pathlib import Path


def read_or_make_secret(path: Path) -> str:
    """Return the key at `path`, made at the first start; readable by its owner only.

    Web, worker and beat start together: each offers a key under a name of its own, and `link` lets exactly one win.
    """
    if not path.exists():
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
    return path.read_text("ascii")
