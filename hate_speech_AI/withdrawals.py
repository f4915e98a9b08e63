"""Withdrawn reviews. The served version stops answering with them at once, before there is a version without them.

    <root>/withdrawn.jsonl    one line for each label that was withdrawn, oldest first; only appended to

A version's manifest says how much of the file it has taken into account ("withdrawals_read", in bytes). The lines after that are
applied to what it serves. So a withdrawn review also stays away if an older version is activated, and a review that is given
again is found in every later version.
"""

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .version import Version


class Withdrawal(NamedTuple):
    """A label of a text that a review gave it, and that was withdrawn.

    Attributes
    ----------
    label : str
    fingerprint : str
    likeness : str or None
        See `text.compute_likeness`.
    value : bool or None
        What the review says that counts now; `None` if there is none.
    """

    label: str
    fingerprint: str
    likeness: str | None
    value: bool | None


class WithdrawalLog:
    """The file of withdrawn labels of a model store.

    Parameters
    ----------
    root : Path
        The folder of the store.
    """

    def __init__(self, root: Path):
        self._path = root / "withdrawn.jsonl"

    def measure(self) -> int:
        """Return the size of the file in bytes."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, withdrawals: Iterable[Withdrawal]) -> None:
        """Add withdrawals, and flush them to the disk. All processes of the service follow within a second."""
        lines = "".join(json.dumps(withdrawal) + "\n" for withdrawal in withdrawals).encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
            if file.read() not in (b"", b"\n"):  # an interrupted write left a part of a line
                lines = b"\n" + lines
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def read(self, since: int) -> list[Withdrawal]:
        """Return the withdrawals after the first `since` bytes, oldest first."""
        try:
            with self._path.open("rb") as file:
                file.seek(since)
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        return [withdrawal for line in lines if (withdrawal := _parse(line))]

    def apply(self, version: Version) -> Version:
        """Return a version that no longer answers with the reviews that were withdrawn since its rows were read."""
        return apply_withdrawals(version, self.read(version.manifest.get("withdrawals_read", 0)))


def _parse(line: bytes) -> Withdrawal | None:
    """Return the withdrawal of a line; `None` if its writing was interrupted, or goes on."""
    try:
        return Withdrawal(*json.loads(line))
    except (ValueError, TypeError):
        return None


def apply_withdrawals(version: Version, withdrawals: Iterable[Withdrawal]) -> Version:
    """Return a version whose reviews are without those that were withdrawn.

    Nor is a review found any more by its likeness to a withdrawn one: only a training knows whether others still say the same.
    """
    values: dict[str, dict[str, bool | None]] = defaultdict(dict)
    likenesses: dict[str, set[str]] = defaultdict(set)
    for label, digest, likeness, value in withdrawals:
        values[label][digest] = value
        if likeness is not None:
            likenesses[label].add(likeness)
    if not values:
        return version
    reviews = {label: index.correct(values[label], likenesses[label]) for label, index in version.reviews.items()}
    return replace(version, reviews=reviews)
