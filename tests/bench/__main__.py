"""Measure the service against its references: `make bench`, or `python -m tests.bench NAME...` for some of the parts.

Each figure stands beside its reference, measured in the same run; where the noise matters the two take turns and the medians
count. Parts that need the public datasets, or the tutorial as written, are skipped by name where those are absent.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .compat import compat
from .learning import score, training, versions
from .measuring import SHARED, TWITTER, SkippedError, need, texts
from .serving import batch, fuzzing, hostile, predict, reviewed, slow_clients, startup


def encoder(folder: Path) -> Iterator[tuple]:
    from . import encoder as parts  # imports the whole package, which the other parts run in processes of their own

    need(TWITTER)
    yield from parts.speed(texts())
    yield from parts.memory(folder, texts())
    yield from parts.learning(folder, TWITTER, SHARED / "datasets")
    yield from parts.nightly(folder, TWITTER)


def detector(_: Path, pretrained: Path | None = None) -> Iterator[tuple]:
    """Measure the shipped encoder or, where another folder is given, that one beside it."""
    from . import detector as parts

    datasets = SHARED / "datasets"
    need(TWITTER, *(datasets / file for files in parts.FILES.values() for file in files))
    yield from parts.compare(pretrained, datasets, texts())


def review_order(_: Path) -> Iterator[tuple]:
    from . import review_order as parts

    datasets = SHARED / "datasets"
    need(*(datasets / file for file, _ in parts.COMMUNITIES.values()))
    yield from parts.compare(datasets)


def judge(figure: float | None, limit: float | None, unit: str) -> tuple[bool, str]:
    """Return whether a figure reaches its limit, and in words. A limit below 0 is the most; `None` is none."""
    if limit is None:
        return True, ""
    is_reached = figure is not None and (figure <= -limit if limit < 0 else figure >= limit)
    return is_reached, f"{'at most' if limit < 0 else 'at least'} {abs(limit)}{unit} {'reached' if is_reached else 'MISSED'}"


PARTS = {
    part.__name__: part
    for part in (
        *(score, predict, slow_clients, batch, reviewed, training, versions, startup, encoder, detector, compat, hostile),
        *(fuzzing, review_order),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the service against its references.")
    parser.add_argument("parts", nargs="*", help="what to measure (default: all)", metavar="NAME")
    parser.add_argument("--pretrained", type=Path, help="a folder such as hate_speech_AI/pretrained, for the part detector")
    arguments = parser.parse_args()
    parts = PARTS | {"detector": partial(detector, pretrained=arguments.pretrained)}
    os.environ["HATE_SPEECH_ENGINE"] = "linear"  # what all parts but encoder, detector, compat and review_order measure
    line = "{:50} | {:32} | {:>10} | {:>10} | {}"
    print(line.format("what", "reference, same run", "measured", "", "reach"))
    missed = False
    for name in arguments.parts or parts:
        with tempfile.TemporaryDirectory(prefix="hate-speech-bench-") as folder:
            try:
                for what, reference, measured, figure, limit, unit in parts[name](Path(folder)):
                    is_reached, reach = judge(figure, limit, unit)
                    missed |= not is_reached
                    shown = "-" if figure is None else f"{figure:.2f}{unit}"
                    print(line.format(what, reference, measured, shown, reach), flush=True)
            except SkippedError as why:
                print(f"{name}: skipped, {why}", flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
