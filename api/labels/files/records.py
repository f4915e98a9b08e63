"""Read the records of a file, whatever its format: CSV, JSONL, JSON or Parquet."""

import csv
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from hate_speech_AI.labels import MEANINGS

from ...web.fields import MAX_TWEET_CHARACTERS
from .opening import MAX_LINE, FileError, open_decoded

_HEAD = 1 << 16
_DELIMITERS = ",;\t|"
# No text of this many lines or characters is taken for one field. It is a quote that is never closed.
_MAX_FIELD_LINES = 500
_MAX_FIELD_CHARACTERS = 10 * MAX_TWEET_CHARACTERS
# JSON names no columns, so those of the first records count.
_PEEKED = 100


class Record(NamedTuple):
    """The values of a record by column. Those of JSON and Parquet need not be strings."""

    line: int
    values: dict[str, Any]


class RowError(NamedTuple):
    """A bad row, and why it is refused. `label` is its label, if that is why."""

    line: int
    message: str
    label: str = ""


class Table(NamedTuple):
    """The columns of a file, how to read the records of some of them, and how many bytes were read so far.

    Columns that the file lacks are left out of its records.
    """

    columns: list[str]
    read: Callable[[Sequence[str]], Iterator[Record | RowError]]
    tell: Callable[[], int]


@contextmanager
def open_table(path: Path, count_wanted: Callable[[list[str]], int]) -> Iterator[Table]:
    """Open a file, and give its table. Raises `FileError` if it cannot be read.

    Parameters
    ----------
    count_wanted : callable
        Returns how many of some columns are wanted. A CSV file's delimiter is the one that gives the most of them.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error}") from error
    if magic == b"PAR1":
        with _open_parquet(path) as table:
            yield table
        return
    if magic == b"PK\x03\x04":
        raise FileError(f"{path} is a ZIP archive or a spreadsheet. Unpack it, or save it as CSV.")
    with open_decoded(path) as (file, binary):
        head = file.read(_HEAD)
        file.seek(0)
        if head.lstrip()[:1] in ("{", "["):
            yield _open_json(file, binary, is_array=head.lstrip()[:1] == "[")
        else:
            yield _open_csv(file, binary, _find_delimiter(head, count_wanted))


def _find_delimiter(head: str, count_wanted: Callable[[list[str]], int]) -> str:
    line = next((line for line in head.splitlines() if line.strip()), "")

    def count(delimiter: str) -> tuple[int, int]:
        try:
            header = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return count_wanted(header), len(header)

    return max(_DELIMITERS, key=count)


class _Lines:
    """The lines of a file, counted. Those of a record that turns out to be bad can be read again."""

    def __init__(self, file: TextIO):
        self._file, self._again = file, deque[str]()
        self.number = 0
        self.begin_record()

    def begin_record(self) -> None:
        self.record: list[str] = []  # what was read since
        self._length = 0  # of all but its first line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.record) > _MAX_FIELD_LINES or self._length > _MAX_FIELD_CHARACTERS:
            raise csv.Error("a quote is opened and not closed")
        piece = self._again.popleft() if self._again else self._file.readline(MAX_LINE)
        if not piece:
            raise StopIteration
        self.number += piece.endswith(("\n", "\r"))
        if self.record:
            self._length += len(piece)
        self.record.append(piece)
        return piece

    def go_back(self) -> None:
        """Go back to the line after the record's first one."""
        self._again.extendleft(reversed(self.record[1:]))
        self.number -= sum(piece.endswith(("\n", "\r")) for piece in self.record[1:])


def _open_csv(file: TextIO, binary: BinaryIO, delimiter: str) -> Table:
    lines = _Lines(file)
    # Strict: a quote amid a field would otherwise join it with the rows that follow.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while not header:
        row = _read_row(reader, lines)
        if row is None or isinstance(row, csv.Error):
            break
        header = row

    def read(columns: Sequence[str]) -> Iterator[Record | RowError]:
        places = {column: header.index(column) for column in columns if column in header}
        while True:
            first_line = lines.number + 1
            row = _read_row(reader, lines)
            if row is None:
                return
            if isinstance(row, csv.Error):
                yield RowError(first_line, str(row))
            elif row and len(row) != len(header):
                yield RowError(first_line, f"{len(row)} fields where the header has {len(header)}")
            elif row:
                yield Record(first_line, {column: row[at] for column, at in places.items()})

    return Table(header, read, binary.tell)


def _read_row(reader: Iterator[list[str]], lines: _Lines) -> list[str] | csv.Error | None:
    lines.begin_record()
    try:
        return next(reader, None)
    except csv.Error as error:
        lines.go_back()
        return error


def _open_json(file: TextIO, binary: BinaryIO, *, is_array: bool) -> Table:
    objects = _read_array(file) if is_array else _read_lines(file)
    records = (record for one in objects for record in _list_records(one))
    peeked = list(islice(records, _PEEKED))
    columns = dict.fromkeys(name for record in peeked if isinstance(record, Record) for name in record.values)
    return Table(list(columns), lambda columns: chain(peeked, records), binary.tell)


def _read_lines(file: TextIO) -> Iterator[Record | RowError]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), ""), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        yield Record(number, value) if isinstance(value, dict) else RowError(number, "the line is no JSON object")


def _read_array(file: TextIO) -> Iterator[Record | RowError]:
    """Read a JSON array object by object, so that a file of any length fits."""
    decoder, buffer, at, line = json.JSONDecoder(), file.read(_HEAD), 0, 1
    while True:
        start = at
        while at < len(buffer) and (buffer[at].isspace() or buffer[at] in "[,"):
            at += 1
        line += buffer.count("\n", start, at)
        value, end = None, at
        if buffer[at : at + 1] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
        except (ValueError, RecursionError) as error:
            more = file.read(_HEAD)
            if not more or len(buffer) - at > MAX_LINE:
                raise FileError(f"The file is no JSON from line {line} on.") from error
            buffer, at = buffer[at:] + more, 0
            continue
        yield Record(line, value) if isinstance(value, dict) else RowError(line, "a JSON object is expected")
        line += buffer.count("\n", at, end)
        at = end


def _list_records(one: Record | RowError) -> list[Record | RowError]:
    """Return a record as it is, or one for each annotation of a task of Label Studio."""
    if isinstance(one, RowError) or not {"data", "annotations"} <= one.values.keys():
        return [one]
    try:
        annotations = [said for said in one.values["annotations"] if not said.get("was_cancelled")]
        return [Record(one.line, {**one.values["data"], **_list_choices(said)}) for said in annotations or [{}]]
    except (AttributeError, KeyError, TypeError):
        return [RowError(one.line, "the task is not as Label Studio exports it")]


def _list_choices(annotation: dict[str, Any]) -> dict[str, Any]:
    chosen = {
        result["from_name"]: result["value"]["choices"]
        for result in annotation.get("result", [])
        if result.get("type") == "choices"
    }
    # A question that is named like a label asks for that one. Other names are the project's own: a single one is the label.
    name = next(iter(chosen), "")
    return {"label": chosen[name], **chosen} if len(chosen) == 1 and name.casefold() not in MEANINGS else chosen


@contextmanager
def _open_parquet(path: Path) -> Iterator[Table]:
    # Not at the top: it takes a second.
    import fastparquet

    with ExitStack() as files:
        try:
            # It leaves open what it opens itself.
            table = fastparquet.ParquetFile(
                str(path), open_with=lambda name, mode="rb": files.enter_context(Path(name).open(mode))
            )
        except Exception as error:  # fastparquet has no error of its own
            raise FileError(f"{path} cannot be read: {error}") from error
        read_bytes = 0

        def read(columns: Sequence[str]) -> Iterator[Record | RowError]:
            nonlocal read_bytes
            line = 1
            try:
                there = [column for column in dict.fromkeys(columns) if column in table.columns]
                for number, group in enumerate(table.iter_row_groups(columns=there), 1):
                    for row in group.to_dict("records"):
                        yield Record(line, row)
                        line += 1
                    read_bytes = path.stat().st_size * number // len(table.row_groups)
            except Exception as error:
                raise FileError(f"{path} cannot be read from row {line} on: {error}") from error

        yield Table(list(table.columns), read, lambda: read_bytes)
