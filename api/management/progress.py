"""The progress bar of the commands."""

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def show_progress(rows: Iterable[Any] | None = None, **options: Any) -> "tqdm[Any]":
    """Return tqdm's bar over `rows`, with its options. Nothing is shown where nobody looks, as in a log file."""
    return tqdm(rows, disable=None, leave=False, **options)
