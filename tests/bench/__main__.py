"""Measure the service against its references: `make bench`, or `python -m tests.bench NAME...` for some of the parts.

Each figure stands beside its reference, measured in the same run; where the noise matters the two take turns and the medians
count. Parts that need the public datasets, or the tutorial as written, are skipped by name where those are absent.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .compat import compat
from .learning import score, training, versions
from .measuring import SHARED, TWITTER, SkippedError, install_wrk, need, texts
from .serving import batch, fuzzing, hostile, predict, reviewed, slow_clients, startup


def encoder(folder: Path) -> Iterator[tuple]:
    from . import encoder as parts  # imports the whole package, which the other parts run in processes of their own

    need(TWITTER)
    datasets = SHARED / "datasets"
    yield from parts.speed(texts())
    yield from parts.memory(folder, texts())
    yield from parts.quality(datasets)
    yield from parts.learning(folder, TWITTER, datasets)
    yield from parts.nightly(folder, TWITTER)


PARTS = {
    part.__name__: part
    for part in (
        *(score, predict, slow_clients, batch, reviewed, training, versions, startup, encoder, compat, hostile),
        fuzzing,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the service against its references.")
    parser.add_argument("parts", nargs="*", help="what to measure (default: all)", metavar="NAME")
    names = parser.parse_args().parts or list(PARTS)
    os.environ["HATE_SPEECH_ENGINE"] = "linear"  # what all parts but encoder and compat measure
    install_wrk()
    line = "{:50} | {:32} | {:>10} | {:>10} | {}"
    print(line.format("what", "reference, same run", "measured", "", "reach"))
    missed = False
    for name in names:
        with tempfile.TemporaryDirectory(prefix="hate-speech-bench-") as folder:
            try:
                for what, reference, measured, figure, limit, unit in PARTS[name](Path(folder)):
                    is_reached = figure <= -limit if limit < 0 else figure >= limit
                    missed |= not is_reached
                    reach = f"{'at most' if limit < 0 else 'at least'} {abs(limit)}{unit} {'reached' if is_reached else 'MISSED'}"
                    print(line.format(what, reference, measured, f"{figure:.2f}{unit}", reach), flush=True)
            except SkippedError as why:
                print(f"{name}: skipped, {why}", flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
