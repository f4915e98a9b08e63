"""Settle which label a text gets that a file labels several times."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from hate_speech_AI.text import fingerprint

from .reading import LabelledTweet

# From each way to how it decides, by the numbers of rows that say yes and no; null where it leaves the text out.
SETTLINGS = {
    "majority": "CASE WHEN n_yes = n_no THEN NULL ELSE n_yes > n_no END",
    "last": "last",
    "all-agree": "CASE WHEN n_yes AND n_no THEN NULL ELSE n_yes > 0 END",
}


class Settled(NamedTuple):
    """The rows, one of each text; how many were repeated; and how many texts are left out, since the file disagrees on them."""

    rows: Iterator[tuple[str, bool]]
    n_repeated: int
    n_disagreed: int


@contextmanager
def settle_labels(rows: Iterable[LabelledTweet], how: str = "majority") -> Iterator[Settled]:
    """Read all `rows`, and give the label of each text.

    If a file has two labels for one text, each import would otherwise change the label back and forth. The rows are kept in a
    temporary SQLite database, so that memory stays constant.

    Parameters
    ----------
    how : str
        Of `SETTLINGS`. "majority" leaves out ties, "all-agree" all that two rows disagree on, and "last" takes the last row.
    """
    with closing(sqlite3.connect("")) as waiting:
        _store(waiting, rows)
        decision = SETTLINGS[how]
        count = f"SELECT total(n_yes + n_no) - count(*), total(({decision}) IS NULL) FROM row"  # noqa: S608  (our own words)
        n_repeated, n_disagreed = map(int, waiting.execute(count).fetchone())
        settled = f"SELECT text, {decision} AS label FROM row WHERE label IS NOT NULL ORDER BY rowid"  # noqa: S608
        stored = ((text, bool(is_hate_speech)) for text, is_hate_speech in waiting.execute(settled))
        yield Settled(stored, n_repeated, n_disagreed)


def _store(waiting: sqlite3.Connection, rows: Iterable[LabelledTweet]) -> None:
    waiting.execute("CREATE TABLE row (fingerprint BLOB UNIQUE, text TEXT, n_yes INTEGER, n_no INTEGER, last INTEGER)")
    waiting.executemany(
        "INSERT INTO row VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET text = excluded.text,"
        " n_yes = n_yes + excluded.n_yes, n_no = n_no + excluded.n_no, last = excluded.last",
        (
            (bytes.fromhex(fingerprint(row.text)), row.text, row.is_hate_speech, not row.is_hate_speech, row.is_hate_speech)
            for row in rows
        ),
    )
