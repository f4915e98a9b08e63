"""Read and write labelled files of any length in constant memory; a bad row becomes an error with its line number.

The format is CSV with `id,label,tweet`, in UTF-8, gzipped or not.
"""

import csv
import gzip
import io
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from rest_framework.exceptions import ValidationError

from hate_speech_AI.text import fingerprint

from ..web.fields import TweetField

COLUMNS = ("id", "label", "tweet")
# A longer line is read in pieces of this length: a file that is not CSV may have no line ends.
_MAX_LINE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"

# Put before what a spreadsheet would run as a formula: an apostrophe and a WORD JOINER. The apostrophe alone is common practice,
# but some tweets begin with '@, and an import must remove only what an export added.
GUARD = "'\u2060"
# A formula can begin a cell, or follow a character that a spreadsheet may take for a separator; quotes may stand before it.
_FORMULA = re.compile(rf'(?:^|(?<=[;,\t\r\n]))("*)((?:{GUARD})*)(?=[=+\-@\t\r＝＋－＠])')


class LabelledTweet(NamedTuple):
    """A row of a labelled file. `label` is as the file spells it; `groups` are the values of the group columns."""

    line: int
    text: str
    is_hate_speech: bool
    label: str
    groups: tuple[str, ...] = ()


class RowError(NamedTuple):
    """A bad row, and why it is refused."""

    line: int
    message: str


class FileError(Exception):
    """The file as a whole cannot be read."""


def guard_cell(text: str) -> str:
    """Return `text` with guards, so that a spreadsheet runs no part of it as a formula."""
    return _FORMULA.sub(rf"\1\2{GUARD}", text)


def unguard_cell(text: str) -> str:
    """Undo `guard_cell`. Any other text stays as it is, unless it contains the guard's rare pair of characters."""
    return _FORMULA.sub(lambda found: found[1] + found[2][len(GUARD) :], text)


def read_tweets(
    path: Path,
    *,
    text_column: str = "tweet",
    label_column: str = "label",
    hate_values: Collection[str] = ("1",),
    group_columns: Sequence[str] = (),
    progress: Callable[[int], object] = lambda position: None,
) -> Iterator[LabelledTweet | RowError]:
    """Yield each row of a labelled CSV file, or a `RowError` for a bad row.

    Parameters
    ----------
    hate_values : collection of str
        The labels that mean hate; all others mean not hate.
    progress : callable, optional
        Called with the number of bytes read so far.

    Raises
    ------
    FileError
        The file cannot be opened or read, or lacks a column.
    """
    with open_decoded(path) as (file, raw):
        yield from _read_rows(
            file,
            raw,
            text_column=text_column,
            label_column=label_column,
            hate_values=hate_values,
            group_columns=group_columns,
            progress=progress,
        )


@contextmanager
def open_decoded(path: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """Open a text file, gzipped or not, and give its text and its raw bytes. Raises `FileError` if it cannot be read."""
    try:
        with path.open("rb") as raw, _open_text(raw) as file:
            yield file, raw
    except (OSError, EOFError, csv.Error) as error:
        raise FileError(f"{path} cannot be read: {error}") from error


def _open_text(raw: BinaryIO) -> TextIO:
    is_gzip = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    # Bytes that are not UTF-8 become lone surrogates, which are refused row by row.
    return io.TextIOWrapper(gzip.open(raw) if is_gzip else raw, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _read_rows(
    file: TextIO,
    raw: BinaryIO,
    *,
    text_column: str,
    label_column: str,
    hate_values: Collection[str],
    group_columns: Sequence[str],
    progress: Callable[[int], object],
) -> Iterator[LabelledTweet | RowError]:
    line = 0

    def lines() -> Iterator[str]:
        nonlocal line
        while piece := file.readline(_MAX_LINE):
            line += piece.endswith(("\n", "\r"))
            yield piece

    reader = csv.reader(lines())
    header = _read_header(reader, (text_column, label_column, *group_columns))
    text_at, label_at = header.index(text_column), header.index(label_column)
    groups_at = [header.index(column) for column in group_columns]
    field = TweetField()
    first_line = line + 1
    while (row := _next_row(reader)) is not None:
        progress(raw.tell())
        try:
            if isinstance(row, csv.Error):
                raise ValidationError(str(row))
            if row:
                text, label = _read_text_and_label(row, len(header), text_at, label_at)
                groups = tuple(row[at] for at in groups_at)
                yield LabelledTweet(first_line, field.run_validation(text), label in hate_values, label, groups)
        except ValidationError as error:
            yield RowError(first_line, " ".join(map(str, error.detail)))
        first_line = line + 1


def _read_header(reader: Iterator[list[str]], columns: tuple[str, ...]) -> list[str]:
    """Return the names of a file's columns. Raises `FileError` if it lacks one of `columns`."""
    header = _next_row(reader)
    if isinstance(header, list) and set(columns) <= set(header):
        return header
    found = ascii(", ".join(header))[:200] if isinstance(header, list) else "no readable header"
    raise FileError(
        f"The file has no columns {' and '.join(map(repr, columns))}; it has: {found}."
        " Name its columns with --text-column and --label-column."
    )


def _read_text_and_label(row: list[str], length: int, text_at: int, label_at: int) -> tuple[str, str]:
    if len(row) != length:
        raise ValidationError(f"{len(row)} fields where the header has {length}")
    if not (label := row[label_at].strip()):
        raise ValidationError("no label")
    return unguard_cell(row[text_at]), label


def _next_row(reader: Iterator[list[str]]) -> list[str] | csv.Error | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        return error


def keep_last_rows(rows: Iterable[LabelledTweet]) -> Iterator[tuple[str, bool]]:
    """Read all `rows`, then return an iterator over (text, is_hate_speech) of the last row of each fingerprint.

    If a file has two labels for one text, each import would otherwise change the label back and forth. The rows are kept in a
    temporary SQLite database, so that memory stays constant.
    """
    waiting = sqlite3.connect("")
    waiting.execute("CREATE TABLE row (fingerprint BLOB UNIQUE, text TEXT, is_hate_speech INTEGER)")
    waiting.executemany(
        "INSERT OR REPLACE INTO row VALUES (?, ?, ?)",
        ((bytes.fromhex(fingerprint(row.text)), row.text, row.is_hate_speech) for row in rows),
    )
    return _stream_and_close(waiting)


def _stream_and_close(waiting: sqlite3.Connection) -> Iterator[tuple[str, bool]]:
    with closing(waiting):
        for text, is_hate_speech in waiting.execute("SELECT text, is_hate_speech FROM row ORDER BY rowid"):
            yield text, bool(is_hate_speech)


def write_tweets(path: Path, rows: Iterable[tuple[int, bool, str]]) -> int:
    """Write (id, is_hate_speech, text) rows to `path`, gzipped if it ends in .gz; return how many there were.

    The file appears, or replaces another, only once it is complete.
    """
    temporary = path.with_name(f".{path.name}.part")
    open_file = gzip.open if path.suffix == ".gz" else open
    count = 0
    try:
        with open_file(temporary, "wt", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for id_, is_hate_speech, text in rows:
                writer.writerow((id_, int(is_hate_speech), guard_cell(text)))
                count += 1
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count
