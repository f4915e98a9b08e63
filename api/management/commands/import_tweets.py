import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from api.labels.files import FileError, LabelledTweet, RowError, keep_last_rows, read_tweets
from api.labels.selectors import find_learned_fingerprints
from api.labels.services import import_labels
from hate_speech_AI.text import fingerprint

LEARNED_BEFORE = (
    "{:,} of the texts the shipped encoder has learned from. They are neither held out, since a score on them would be too good,"
    " nor learned again."
)
_SHOWN_LABELS = 20


class Command(BaseCommand):
    help = (
        "Import labelled tweets from a CSV file of any size, gzipped or not. The texts are stored as they are. A known text gets"
        " the file's label, unless a person has reviewed it. A second import of the file changes nothing. Bad rows are reported"
        " by line and skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--text-column", default="tweet", help="the column of the texts (default: tweet)")
        parser.add_argument("--label-column", default="label", help="the column of the labels (default: label)")
        parser.add_argument(
            "--hate-values",
            default="1",
            help="the labels that mean hate, separated by commas; all others mean not hate (default: 1)",
        )
        parser.add_argument("--source", help="the source that the labels are stored with (default: the file's name)")

    def handle(
        self, *, file: Path, text_column: str, label_column: str, hate_values: str, source: str | None, **options: object
    ) -> None:
        reading = _Reading(file, text_column, label_column, {label.strip() for label in hate_values.split(",")})
        try:
            size = file.stat().st_size
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        try:
            with tqdm(total=size, desc="Reading", unit="B", unit_scale=True, leave=False) as bar:
                rows = keep_last_rows(reading.read_good_rows(bar))
        except FileError as error:
            raise CommandError(str(error)) from error
        storing = tqdm(reading.count_learned(rows), desc="Storing", unit=" tweets", leave=False)
        stored = import_labels(rows=storing, source=f"import:{source or file.name}"[:200])
        self._report(reading, stored)
        if reading.n_learned:
            self.stdout.write(LEARNED_BEFORE.format(reading.n_learned))

    def _report(self, reading: "_Reading", stored: Counter[str]) -> None:
        for label, count in sorted(reading.labels.items()):
            meaning = "hate" if label in reading.hate_values else "not hate"
            self.stdout.write(f"label {label!r} = {meaning}: {count:,} rows")
        self.stdout.write(
            f"{reading.n_good:,} rows read, {reading.n_bad:,} bad ones passed over: {stored['new']:,} new tweets,"
            f" {stored['changed']:,} labels changed, {stored['unchanged']:,} unchanged,"
            f" {reading.n_good - stored.total():,} repeated within the file."
        )


class _Reading:
    """One reading of a file, with the counts of what was read."""

    def __init__(self, file: Path, text_column: str, label_column: str, hate_values: set[str]):
        self.file, self.text_column, self.label_column, self.hate_values = file, text_column, label_column, hate_values
        self.labels: Counter[str] = Counter()
        self.n_good = self.n_bad = self.n_learned = 0

    def read_good_rows(self, bar: "tqdm[NoReturn]") -> Iterator[LabelledTweet]:
        """Yield the good rows; report each bad one by line."""
        rows = read_tweets(
            self.file,
            text_column=self.text_column,
            label_column=self.label_column,
            hate_values=self.hate_values,
            progress=lambda position: bar.update(position - bar.n),
        )
        for row in rows:
            if isinstance(row, RowError):
                self.n_bad += 1
                bar.write(f"line {row.line}: {row.message}", file=sys.stderr)
                continue
            self.n_good += 1
            if row.label in self.labels or len(self.labels) < _SHOWN_LABELS:
                self.labels[row.label] += 1
            yield row

    def count_learned(self, rows: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
        """Yield `rows` unchanged, and count those that the shipped encoder has learned from."""
        learned = find_learned_fingerprints()
        for text, is_hate_speech in rows:
            self.n_learned += fingerprint(text) in learned
            yield text, is_hate_speech
