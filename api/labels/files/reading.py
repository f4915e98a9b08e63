"""Read labelled rows, whatever the format of the file and the names of its columns."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from rest_framework.exceptions import ValidationError

from hate_speech_AI.labels import IMPLIES_IN_WORDS, MEANINGS, PRIMARY, is_consistent

from ...web.fields import TweetField
from .opening import FileError
from .records import Record, RowError, open_table
from .spellings import Meaning, list_labels, make_meaning, read_answer
from .writing import unguard_cell

_TEXT_COLUMNS = ("tweet", "text", "comment", "content", "sentence")
# "class" is not among them: of a famous dataset, class 0 is hate.
_LABEL_COLUMNS = ("label", "labels", "choice", "hate", "is_hate_speech")
# What Label Studio's tables hold beside the text and the label. A column that is named like a label is that label.
_LABEL_STUDIO = {"annotation_id", "annotator", "created_at", "updated_at", "lead_time", "id", *MEANINGS}


class TextRow(NamedTuple):
    """A row of a file. `groups` are the values of the group columns, `others` what the columns of other labels hold, by label."""

    line: int
    text: str
    labels: tuple[str, ...]
    groups: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class LabelledTweet(NamedTuple):
    """A row of a labelled file.

    Attributes
    ----------
    line : int
    text : str
    labels : mapping of str to bool
        What the row says of the text, by the names of the labels; at least one, and none that contradicts another.
    spelling : str
        The primary label as the file spells it; "" if it leaves that open.
    groups : tuple of str
        The values of the group columns.
    """

    line: int
    text: str
    labels: Mapping[str, bool]
    spelling: str
    groups: tuple[str, ...] = ()


def read_tweets(
    path: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    hate_values: Collection[str] = (),
    labels: Mapping[str, bool] | None = None,
    group_columns: Sequence[str] = (),
    others: Collection[str] = (),
    progress: Callable[[int], object] = lambda position: None,
) -> Iterator[LabelledTweet | RowError]:
    """Yield each row of a labelled file, or a `RowError` for a bad row.

    Parameters
    ----------
    text_column, label_column : str, optional
        The usual names by default, in any case.
    hate_values : collection of str, optional
        The labels that mean hate. All others mean not hate then.
    labels : mapping of str to bool, optional
        Whether each of these labels means hate. Others mean what they usually do; unknown ones make bad rows.
    others : collection of str, optional
        Labels to read beside the primary one. A column of such a name says yes or no, or nothing where that is unknown. The name
        among the labels of a row says yes. A row that says one of them may leave the primary label open.
    progress : callable, optional
        Called with the number of bytes read so far.

    Raises
    ------
    FileError
        The file cannot be opened or read, or lacks a column.
    """
    meaning = make_meaning(hate_values=hate_values, labels=labels)
    rows = read_rows(
        path, text_column=text_column, label_column=label_column, group_columns=group_columns, others=others, progress=progress
    )
    for row in rows:
        yield row if isinstance(row, RowError) else _interpret(row, meaning, others)


def read_rows(
    path: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    group_columns: Sequence[str] = (),
    others: Collection[str] = (),
    progress: Callable[[int], object] = lambda position: None,
) -> Iterator[TextRow | RowError]:
    """Yield each row of a file with its labels as they are spelt, whatever they mean. See `read_tweets`."""
    texts = (text_column,) if text_column else _TEXT_COLUMNS
    labels = (label_column,) if label_column else _LABEL_COLUMNS

    def count_wanted(columns: list[str]) -> int:
        wanted = (texts, labels, *((name,) for name in (*group_columns, *others)))
        return sum(_find_column(columns, names) is not None for names in wanted)

    field = TweetField()
    with open_table(path, count_wanted) as table:
        text = _find_column(table.columns, texts)
        label = _find_column(table.columns, labels) or (not label_column and _find_remaining(table.columns, text)) or None
        groups = [_find_column(table.columns, (group,)) for group in group_columns]
        # A column may also come with a later record of a JSON file.
        columns = {name: _find_column(table.columns, (name,)) or name for name in others}
        columns = {name: column for name, column in columns.items() if column not in (text, label)}
        if label is None and not label_column and any(column in table.columns for column in columns.values()):
            label = labels[0]
        if text is None or label is None or None in groups:
            names = (text_column or _TEXT_COLUMNS[0], label_column or _LABEL_COLUMNS[0], *group_columns)
            missing = [name for name, column in zip(names, (text, label, *groups), strict=True) if column is None]
            raise FileError(_describe_columns(table.columns, missing))
        found = [group for group in groups if group is not None]
        for record in table.read([text, label, *found, *columns.values()]):
            progress(table.tell())
            yield record if isinstance(record, RowError) else _read_row(record, text, label, found, columns, field)


def _normalise_column(name: str) -> str:
    return name.strip("\ufeff \t").casefold()


def _find_column(columns: list[str], names: Sequence[str]) -> str | None:
    """Return the first of `names` that is a column, whatever its case and the blanks around it."""
    for name in names:
        for column in columns:
            if column == name or _normalise_column(column) == _normalise_column(name):
                return column
    return None


def _find_remaining(columns: list[str], text: str | None) -> str | None:
    """Return the one column of Label Studio's table that is neither the text nor one of its own."""
    if "annotation_id" not in columns:
        return None
    remaining = [column for column in columns if column not in _LABEL_STUDIO and column != text]
    return remaining[0] if len(remaining) == 1 else None


def _describe_columns(columns: list[str], missing: list[str]) -> str:
    found = ascii(", ".join(columns))[:200] if columns else "no readable header"
    return (
        f"The file has no column{'s' if len(missing) > 1 else ''} {' and '.join(map(repr, missing))}; it has: {found}."
        " Name its columns with --text-column and --label-column."
    )


def _read_row(
    record: Record, text: str, label: str, groups: list[str], others: Mapping[str, str], field: TweetField
) -> TextRow | RowError:
    value: Any = record.values.get(text)
    try:
        clean = field.run_validation(unguard_cell(value) if isinstance(value, str) else value)
    except ValidationError as error:
        return RowError(record.line, " ".join(map(str, error.detail)))
    labels = list_labels(record.values.get(label))
    said = {name: spellings for name, column in others.items() if (spellings := list_labels(record.values.get(column)))}
    if not labels and not said:
        return RowError(record.line, "no label")
    return TextRow(record.line, clean, labels, tuple(str(record.values.get(group, "")) for group in groups), said)


def _interpret(row: TextRow, meaning: Meaning, others: Collection[str]) -> LabelledTweet | RowError:
    """Return what a row says of its text."""
    spelling = "#".join(row.labels)
    said: dict[str, bool] = {}
    if row.labels:
        try:
            said[PRIMARY] = meaning(row.labels)
        except ValueError as error:
            return RowError(row.line, str(error), spelling)
    named = {label.casefold() for label in row.labels}.intersection(others)
    for name in sorted(row.others.keys() | named):
        answers = {read_answer(one) for one in row.others.get(name, ())} | ({True} if name in named else set())
        if None in answers:
            return RowError(row.line, f"{name} is neither yes nor no")
        if len(answers) > 1:
            return RowError(row.line, f"{name} is both yes and no")
        said[name] = True in answers
    if not is_consistent(said):
        return RowError(row.line, f"labels that contradict each other: {IMPLIES_IN_WORDS}")
    return LabelledTweet(row.line, row.text, said, spelling, row.groups)
