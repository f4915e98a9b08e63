"""Write labelled tweets as CSV that a spreadsheet may open."""

import csv
import gzip
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hate_speech_AI.labels import PRIMARY, SECONDARY

COLUMNS = ("id", "label", "tweet", *SECONDARY)
# Put before what a spreadsheet would run as a formula: an apostrophe and a WORD JOINER. The apostrophe alone is common practice,
# but some tweets begin with '@, and an import must remove only what an export added.
GUARD = "'\u2060"
# A formula can begin a cell, or follow a character that a spreadsheet may take for a separator; quotes may stand before it.
_FORMULA = re.compile(rf'(?:^|(?<=[;,\t\r\n]))("*)((?:{GUARD})*)(?=[=+\-@\t\r＝＋－＠])')


def guard_cell(text: str) -> str:
    """Return `text` with guards, so that a spreadsheet runs no part of it as a formula."""
    return _FORMULA.sub(rf"\1\2{GUARD}", text)


def unguard_cell(text: str) -> str:
    """Undo `guard_cell`. Any other text stays as it is, unless it contains the guard's rare pair of characters."""
    return _FORMULA.sub(lambda found: found[1] + found[2][len(GUARD) :], text)


def write_tweets(path: Path, rows: Iterable[tuple[int, Mapping[str, bool], str]]) -> int:
    """Write (id, labels, text) rows to `path`, gzipped if it ends in .gz; return how many there were.

    Labels that a row leaves open become empty cells.

    The file appears, or replaces another, only once it is complete.
    """
    temporary = path.with_name(f".{path.name}.part")
    open_file = gzip.open if path.suffix == ".gz" else open
    count = 0
    try:
        with open_file(temporary, "wt", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for id_, labels, text in rows:
                primary, *others = (int(labels[name]) if name in labels else "" for name in (PRIMARY, *SECONDARY))
                writer.writerow((id_, primary, guard_cell(text), *others))
                count += 1
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count
