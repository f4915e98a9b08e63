"""Read and write labelled files of any length in constant memory. A bad row becomes an error with its line number.

Read are CSV, JSONL, JSON and Parquet, as people keep them and as doccano and Label Studio export them. Written is CSV with
`id,label,tweet` and a column for each other label, in UTF-8. Both may be gzipped.
"""

from .opening import FileError, open_decoded
from .reading import LabelledTweet, TextRow, read_rows, read_tweets
from .records import RowError
from .settling import SETTLINGS, Settled, settle_labels
from .spellings import read_spelling
from .writing import COLUMNS, GUARD, guard_cell, unguard_cell, write_tweets

__all__ = [
    "COLUMNS",
    "GUARD",
    "SETTLINGS",
    "FileError",
    "LabelledTweet",
    "RowError",
    "Settled",
    "TextRow",
    "guard_cell",
    "open_decoded",
    "read_rows",
    "read_spelling",
    "read_tweets",
    "settle_labels",
    "unguard_cell",
    "write_tweets",
]
