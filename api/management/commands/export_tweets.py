from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.labels import selectors
from api.labels.files import write_tweets
from api.management.progress import show_progress
from api.web.words import count


class Command(BaseCommand):
    help = (
        "Write every labelled tweet to a CSV file, gzipped if its name ends in .gz. The columns are id, label (1 is hate), tweet,"
        " and one for each other label, empty where that is unknown. Texts that a spreadsheet would run as a formula are marked."
        " import_tweets removes the mark."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *, file: Path, **options: object) -> None:
        total = selectors.count_labelled_tweets()
        rows = show_progress(selectors.stream_labelled_tweets(), total=total, desc="Writing", unit=" tweets")
        try:
            written = write_tweets(file, rows)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}") from error
        self.stdout.write(f"{count(written, 'tweet')} written to {file}.")
