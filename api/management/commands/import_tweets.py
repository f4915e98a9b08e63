import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from api.labels.files import SETTLINGS, FileError, LabelledTweet, RowError, Settled, read_spelling, read_tweets, settle_labels
from api.labels.recording import LabelledText
from api.labels.selectors import find_learned_fingerprints
from api.labels.services import import_labels
from api.management.progress import show_progress
from api.web.words import count
from hate_speech_AI.labels import PRIMARY, SECONDARY
from hate_speech_AI.text import fingerprint

LEARNED_BEFORE = (
    "{:,} of the texts the shipped encoder has learned from. They are neither held out, since a score on them would be too good,"
    " nor learned again."
)
_SHOWN_ERRORS = 50
# More different labels than this are not shown: they may be texts.
_SHOWN_LABELS = 20
_LONGEST_LABEL = 40


class Command(BaseCommand):
    help = (
        "Import labelled tweets from a file of any size: CSV, JSONL, JSON or Parquet, gzipped or not, and what doccano and Label"
        " Studio export. Columns named toxic, insult, threat and profanity hold these labels, or nothing where they are unknown."
        " The texts are stored as they are. A known text gets the file's labels, unless a person has reviewed it. A second import"
        " of the file changes nothing. Bad rows are reported by line and skipped; the command then ends with an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--text-column", help="the column of the texts (default: tweet, text or the like)")
        parser.add_argument("--label-column", help="the column of the labels (default: label or the like)")
        meaning = parser.add_mutually_exclusive_group()
        meaning.add_argument(
            "--labels",
            default="",
            help="what labels mean, such as spam=not-hate,attack=hate; 1, 0, yes, no, hate, normal and the like are known",
        )
        meaning.add_argument(
            "--hate-values", default="", help="the labels that mean hate, separated by commas; all others mean not hate then"
        )
        parser.add_argument(
            "--annotators",
            choices=list(SETTLINGS),
            default="majority",
            help="which label a text gets that several rows label: that of most of them, leaving out ties (default), of the last"
            " row, or the one that all agree on, leaving out the others",
        )
        parser.add_argument("--source", help="the source that the labels are stored with (default: the file's name)")
        parser.add_argument("--dry-run", action="store_true", help="read and report, and store nothing")

    def handle(
        self, *, file: Path, labels: str, hate_values: str, annotators: str, source: str | None, dry_run: bool, **options: Any
    ) -> None:
        columns = {name: options[name] for name in ("text_column", "label_column")}
        named = {label.strip() for label in hate_values.split(",") if label.strip()}
        reading = _Reading(file, hate_values=named, labels=_read_meanings(labels), others=SECONDARY, **columns)
        try:
            size = file.stat().st_size
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        try:
            with show_progress(total=size, desc="Reading", unit="B", unit_scale=True) as bar:
                with settle_labels(reading.read_good_rows(bar), annotators) as settled:
                    bar.close()
                    self._store(reading, settled, "" if dry_run else f"import:{source or file.name}"[:200])
        except FileError as error:
            raise CommandError(str(error)) from error
        if reading.n_bad:
            hint = " Say with --labels what unknown labels mean." if reading.n_unknown else ""
            raise CommandError(f"{count(reading.n_bad, 'bad row')} left out.{hint}")

    def _store(self, reading: "_Reading", settled: Settled, source: str) -> None:
        """Store the rows under `source`, unless it is empty, and report."""
        for line in reading.describe_labels():
            self.stdout.write(line)
        if not reading.n_good:
            raise CommandError(
                "No row fits, and nothing is stored. Say what the labels mean with --labels LABEL=hate,LABEL=not-hate, or which"
                " columns to read with --text-column and --label-column."
            )
        rows = reading.count_learned(settled.rows)
        if source:
            texts = show_progress(rows, desc="Storing", unit=" tweets")
            labels = (LabelledText(text, value, name=name) for text, said in texts for name, value in said.items())
            stored = import_labels(rows=labels, source=source)
            done = f"{count(stored['new'], 'new label')}, {stored['changed']:,} changed, {stored['unchanged']:,} unchanged"
        else:
            done = f"{count(sum(1 for _ in rows), 'text')} would be stored"
        self.stdout.write(
            f"{reading.n_good:,} rows read, {reading.n_bad:,} bad ones passed over: {done},"
            f" {settled.n_repeated:,} repeated within the file,"
            f" {count(settled.n_disagreed, 'label')} left out because rows of a text disagree."
        )
        if reading.n_learned:
            self.stdout.write(LEARNED_BEFORE.format(reading.n_learned))


def _read_meanings(given: str) -> dict[str, bool]:
    """Read `--labels`. Raises `CommandError` if it is misspelt."""
    meanings = {}
    for pair in filter(None, map(str.strip, given.split(","))):
        label, _, word = pair.rpartition("=")
        meaning = read_spelling(word)
        if not label.strip() or meaning is None:
            raise CommandError("--labels takes LABEL=hate and LABEL=not-hate, separated by commas.")
        meanings[label.strip()] = meaning
    return meanings


class _Reading:
    """One reading of a file, with the counts of what was read. `options` are those of `read_tweets`."""

    def __init__(self, file: Path, **options: Any):
        self.file, self.options = file, options
        self.labels: Counter[tuple[str, str]] = Counter()
        self.other_labels: Counter[tuple[str, bool]] = Counter()
        self.n_good = self.n_bad = self.n_unknown = self.n_learned = 0

    def read_good_rows(self, bar: "tqdm[NoReturn]") -> Iterator[LabelledTweet]:
        """Yield the good rows; report each bad one by line."""
        for row in read_tweets(self.file, progress=lambda position: bar.update(position - bar.n), **self.options):
            if isinstance(row, RowError):
                self.n_bad += 1
                self.n_unknown += bool(row.label)
                self._count(row.label, row.message)
                if self.n_bad <= _SHOWN_ERRORS:
                    bar.write(f"line {row.line}: {row.message}", file=sys.stderr)
                elif self.n_bad == _SHOWN_ERRORS + 1:
                    bar.write("Further bad rows are counted only.", file=sys.stderr)
                continue
            self.n_good += 1
            self._count(row.spelling, "hate" if row.labels.get(PRIMARY) else "not hate")
            self.other_labels.update((name, value) for name, value in row.labels.items() if name != PRIMARY)
            yield row

    def _count(self, label: str, meaning: str) -> None:
        if label and ((label, meaning) in self.labels or len(self.labels) <= _SHOWN_LABELS):
            self.labels[label, meaning] += 1

    def describe_labels(self) -> Iterator[str]:
        """Say how often each label was seen and what it was taken for, unless they look like texts."""
        for name in SECONDARY:
            yes, no = self.other_labels[name, True], self.other_labels[name, False]
            if yes or no:
                yield f"{name}: {yes:,} yes, {no:,} no"
        if len(self.labels) > _SHOWN_LABELS or any(len(label) > _LONGEST_LABEL for label, _ in self.labels):
            yield "There are many different labels, or long ones. Is that the column of the labels?"
            return
        for (label, meaning), n_rows in sorted(self.labels.items()):
            yield f"label {label!r} = {meaning}: {count(n_rows, 'row')}"

    def count_learned(self, rows: Iterable[tuple[str, dict[str, bool]]]) -> Iterator[tuple[str, dict[str, bool]]]:
        """Yield `rows` unchanged, and count those that the shipped encoder has learned from."""
        learned = find_learned_fingerprints()
        for text, labels in rows:
            self.n_learned += fingerprint(text) in learned
            yield text, labels
