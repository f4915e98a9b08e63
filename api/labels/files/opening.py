"""Open text files, whatever their encoding, gzipped or not."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

# A longer line is read in pieces of this length: a file that is not CSV may have no line ends.
MAX_LINE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# UTF-32 first: its mark begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_SAMPLE = 1 << 16


class FileError(Exception):
    """The file as a whole cannot be read."""


@contextmanager
def open_decoded(path: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """Open a text file, gzipped or not, and give its text and its raw bytes. Raises `FileError` if it cannot be read."""
    try:
        with path.open("rb") as raw, _open_text(raw) as file:
            yield file, raw
    except (OSError, EOFError, UnicodeError, csv.Error, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}") from error


def _open_text(raw: BinaryIO) -> TextIO:
    is_gzip = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzip else raw
    encoding = find_encoding(plain)
    plain.seek(0)
    # Bytes that are not in the encoding become lone surrogates, which are refused row by row.
    return io.TextIOWrapper(plain, encoding=encoding, errors="surrogateescape", newline="")


def find_encoding(file: BinaryIO) -> str:
    """Return the encoding of a file: by its mark, or by all of its bytes.

    A file is UTF-8 unless most of its lines beyond ASCII are not. An accent may come late, so every line is looked at.
    """
    head = file.read(_SAMPLE)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) / 8 and min(even, odd) < max(even, odd) / 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    file.seek(0)
    n_utf8, n_others, others, has_nul = 0, 0, b"", False
    while line := file.readline(MAX_LINE):
        if line.isascii():
            has_nul = has_nul or b"\0" in line
            continue
        try:
            line.decode()
            n_utf8 += 1
        except UnicodeDecodeError:
            n_others += 1
            others += line if len(others) < _SAMPLE else b""
    # No other encoding has NUL in a text: that is no text, or a broken one.
    is_another = n_others > n_utf8 and not has_nul and b"\0" not in others
    return (is_another and _guess_encoding(others)) or "utf-8-sig"


def _guess_encoding(sample: bytes) -> str | None:
    # Not at the top: only a file that is not UTF-8 needs it.
    from charset_normalizer import from_bytes

    matches = from_bytes(sample[:_SAMPLE])
    best = matches.best()
    if best is None:
        return None
    # Of those that fit as well, the one that Excel writes.
    equal = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    return "cp1252" if any("cp1252" in match.could_be_from_charset for match in equal) else best.encoding
