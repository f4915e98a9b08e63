import sys
from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from api.labels import files as importers
from api.labels import selectors, services

LEARNED_BEFORE = (
    "{:,} of the texts the shipped encoder has learned from: they are neither held out nor learned again, since a score on them"
    " would flatter."
)
_SHOWN_LABELS = 20


class Command(BaseCommand):
    help = (
        "Import labelled tweets from a CSV file, gzipped or not, of any size. The texts are stored as they are. A text that is"
        " already there gets the file's label, unless a person has reviewed it; importing a file again changes nothing. Bad"
        " rows are reported by line and passed over."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--text-column", default="tweet", help="the column of the texts (default: tweet)")
        parser.add_argument("--label-column", default="label", help="the column of the labels (default: label)")
        parser.add_argument(
            "--hate-values",
            default="1",
            help="the labels that mean hate, with commas between them; all others mean the opposite (default: 1)",
        )
        parser.add_argument("--source", help="the name that the labels are kept under (default: the file's name)")

    def handle(self, *, file, text_column, label_column, hate_values, source, **options):
        hate_labels = {label.strip() for label in hate_values.split(",")}
        seen = {"labels": Counter(), "bad": 0, "good": 0}
        try:
            size = file.stat().st_size
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error

        def good_rows(bar):
            rows = importers.read_tweets(
                file,
                text_column=text_column,
                label_column=label_column,
                hate_values=hate_labels,
                progress=lambda position: bar.update(position - bar.n),
            )
            for row in rows:
                if isinstance(row, importers.RowError):
                    seen["bad"] += 1
                    bar.write(f"line {row.line}: {row.message}", file=sys.stderr)
                    continue
                seen["good"] += 1
                if row.label in seen["labels"] or len(seen["labels"]) < _SHOWN_LABELS:
                    seen["labels"][row.label] += 1
                yield row

        try:
            with tqdm(total=size, desc="Reading", unit="B", unit_scale=True, leave=False) as bar:
                rows = importers.last_of_each(good_rows(bar))
        except importers.FileError as error:
            raise CommandError(str(error)) from error
        stored = services.import_labels(
            rows=tqdm(rows, desc="Storing", unit=" tweets", leave=False), source=f"import:{source or file.name}"[:200]
        )

        for label, count in sorted(seen["labels"].items()):
            meaning = "hate" if label in hate_labels else "not hate"
            self.stdout.write(f"label {label!r} = {meaning}: {count:,} rows")
        self.stdout.write(
            f"{seen['good']:,} rows read, {seen['bad']:,} bad ones passed over: {stored['new']:,} new tweets,"
            f" {stored['changed']:,} labels changed, {stored['unchanged']:,} unchanged,"
            f" {seen['good'] - stored.total():,} repeated within the file."
        )
        if learned := selectors.count_learned_before(row.text for row in rows):
            self.stdout.write(LEARNED_BEFORE.format(learned))
