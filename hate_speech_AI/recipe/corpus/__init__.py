"""The public data that the encoder learns from: the rows, their labels, their weights and their sides."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from ...labels import TARGETS
from .example import LABELS, Example
from .leakage import HELD_OUT, read_held_out, separate
from .readers import FILES, ORIGINS, SOURCES, WEIGHTS, read_source

__all__ = [
    "FILES", "LABELS", "ORIGINS", "SOURCES", "TARGETS", "WEIGHTS", "Example", "checksums", "describe", "read_corpus",
    "read_held_out", "separate",
]  # fmt: skip


def read_corpus(folder: Path, dropped: Counter[str] | None = None) -> list[Example]:
    """Read the examples of all sources below `folder`, one for each fingerprint. The order depends on the files alone.

    See `separate` for what is left out, so that nothing that measures is learned from.

    Parameters
    ----------
    dropped : Counter, optional
        The rows that are left out are counted in it, by source and reason.

    Raises
    ------
    FileNotFoundError
        A dataset is missing.
    """
    examples = (example for source in SOURCES for example in read_source(source, folder))
    return separate(examples, read_held_out(folder), Counter() if dropped is None else dropped)


def checksums(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that `read_corpus` reads."""
    files = [file for source in SOURCES for file in sorted(FILES[source])]
    return {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in [*files, HELD_OUT]}


def describe(examples: list[Example]) -> str:
    """Return the counts of a corpus as JSON: {source and split: [rows, hateful]}."""
    rows = Counter((example.source, example.split) for example in examples)
    hateful = Counter((example.source, example.split) for example in examples if example.hate)
    return json.dumps({f"{source} {split}": [n, hateful[source, split]] for (source, split), n in sorted(rows.items())}, indent=1)
