"""Settle which labels a text gets that a file labels several times."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from typing import NamedTuple

from hate_speech_AI.labels import infer_labels
from hate_speech_AI.text import fingerprint

from .reading import LabelledTweet

# From each way to how it decides on a label, by the numbers of rows that say yes and no; null where it leaves the label out.
SETTLINGS = {
    "majority": "CASE WHEN n_yes = n_no THEN NULL ELSE n_yes > n_no END",
    "last": "last",
    "all-agree": "CASE WHEN n_yes AND n_no THEN NULL ELSE n_yes > 0 END",
}


class Settled(NamedTuple):
    """The labels of each text, by name; how many rows were repeated; and how many labels are left out, since rows disagree."""

    rows: Iterator[tuple[str, dict[str, bool]]]
    n_repeated: int
    n_disagreed: int


@contextmanager
def settle_labels(rows: Iterable[LabelledTweet], how: str = "majority") -> Iterator[Settled]:
    """Read all `rows`, and give the labels of each text.

    If a file has two labels for one text, each import would otherwise change the label back and forth. The rows are kept in a
    temporary SQLite database, so that memory stays constant.

    What follows from a label that a row says counts as said by the row too, but makes no label by itself. So the labels of a text
    never contradict each other: whoever says hate says toxic, and toxic has the majority wherever hate has.

    Parameters
    ----------
    how : str
        Of `SETTLINGS`. "majority" leaves out ties, "all-agree" all that two rows disagree on, and "last" takes the last row.
    """
    with closing(sqlite3.connect("")) as waiting:
        _store(waiting, rows)
        [(n_repeated,)] = waiting.execute("SELECT total(n_rows - 1) FROM tweet")
        said = f"SELECT *, {SETTLINGS[how]} AS value FROM label WHERE is_said"  # noqa: S608  (our own words)
        [(n_disagreed,)] = waiting.execute(f"SELECT total(value IS NULL) FROM ({said})")  # noqa: S608
        labels = waiting.execute(
            f"SELECT tweet.rowid, text, name, value FROM tweet JOIN ({said}) USING (fingerprint)"  # noqa: S608
            " WHERE value IS NOT NULL ORDER BY tweet.rowid"
        )
        stored = (
            (text, {name: bool(value) for *_, name, value in group}) for (_, text), group in groupby(labels, lambda row: row[:2])
        )
        yield Settled(stored, int(n_repeated), int(n_disagreed))


def _store(waiting: sqlite3.Connection, rows: Iterable[LabelledTweet]) -> None:
    waiting.execute("CREATE TABLE tweet (fingerprint BLOB UNIQUE, text TEXT, n_rows INTEGER)")
    waiting.execute(
        "CREATE TABLE label (fingerprint BLOB, name TEXT, n_yes INTEGER, n_no INTEGER, last INTEGER, is_said INTEGER,"
        " PRIMARY KEY (fingerprint, name)) WITHOUT ROWID"
    )
    for row in rows:
        digest = bytes.fromhex(fingerprint(row.text))
        waiting.execute(
            "INSERT INTO tweet VALUES (?, ?, 1) ON CONFLICT (fingerprint) DO UPDATE SET text = excluded.text,"
            " n_rows = n_rows + 1",
            (digest, row.text),
        )
        waiting.executemany(
            "INSERT INTO label VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint, name) DO UPDATE SET"
            " n_yes = n_yes + excluded.n_yes, n_no = n_no + excluded.n_no, last = excluded.last,"
            " is_said = max(is_said, excluded.is_said)",
            [(digest, name, value, not value, value, name in row.labels) for name, value in _list_votes(row.labels).items()],
        )


def _list_votes(labels: Mapping[str, bool]) -> dict[str, bool]:
    """Return what a row says of its text, and what follows from that."""
    votes = dict(labels)
    for said in labels.items():
        votes |= infer_labels(*said)
    return votes
