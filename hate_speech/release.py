"""The release: its version, and its commit if the code is a Git checkout."""

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_version(root: Path) -> str:
    """Return the release's version, such as "1.1.0"."""
    return (root / "VERSION").read_text("ascii").strip()


def read_commit(root: Path) -> str:
    """Return the first twelve digits of the commit that is checked out, or "" outside a Git checkout.

    The files are read without Git, which a server or an image may not have.
    """
    git = root / ".git"
    try:
        if git.is_file():  # a worktree: the file names its folder
            git = root / git.read_text("utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text("utf-8").strip()
        if head.startswith("ref: "):
            head = _read_reference(git, head[5:])
    except OSError:
        return ""
    return head[:12] if _COMMIT.fullmatch(head) else ""


def _read_reference(git: Path, name: str) -> str:
    """Return the commit of a branch: from the branch's own file, or from the list into which `git gc` packs them."""
    if (git / "commondir").is_file():  # a worktree's branches are the repository's
        git = git / (git / "commondir").read_text("utf-8").strip()
    if (git / name).is_file():
        return (git / name).read_text("utf-8").strip()
    for line in (git / "packed-refs").read_text("utf-8").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""
