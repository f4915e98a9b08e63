import sys
from collections import Counter
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.labels import datasets, selectors, services
from api.labels.files import FileError
from api.labels.recording import LabelledText
from api.web.words import count
from hate_speech_AI.labels import MEANINGS
from hate_speech_AI.text import fingerprint

from .import_tweets import LEARNED_BEFORE


class Command(BaseCommand):
    help = (
        "Import a public research dataset. It is downloaded and verified, or read from a file. Its official test split is left"
        " out. Content warning: these datasets contain real hate speech."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", choices=sorted(datasets.DATASETS), help=", ".join(sorted(datasets.DATASETS)))
        parser.add_argument(
            "--from",
            dest="path",
            type=Path,
            metavar="FILE",
            help="read this file, or the folder of the dataset's files, instead of downloading",
        )
        parser.add_argument("--yes", action="store_true", help="accept the licence without being asked")

    def handle(self, *, name: str, path: Path | None, yes: bool, **options: object) -> None:
        dataset = datasets.DATASETS[name]
        source = f"import:{name}"
        if not selectors.filter_labels(source=source).exists():
            self._ask_for_consent(dataset, yes)
        rows, counts = self._read(dataset, path)
        stored = services.import_dataset(rows=rows, source=source)
        said = Counter((row.name, row.value) for row in rows)
        told = ", ".join(f"{said[label, True]:,} {label}" for label in MEANINGS if {(label, True), (label, False)} & said.keys())
        self.stdout.write(
            f"{name}: {count(counts['texts'], 'text')}: {told} ({dataset.meaning}). {count(stored['new'], 'new label')},"
            f" {stored['changed']:,} changed, {stored['unchanged']:,} unchanged.\n"
            f"Left out: {counts['test']:,} rows of its test split, {counts['open']:,} that are left open,"
            f" {counts['repeated']:,} repeated, {counts['bad']:,} without a usable text."
        )
        learned = selectors.find_learned_fingerprints()
        if n_learned := sum(fingerprint(text) in learned for text in {row.text for row in rows}):
            self.stdout.write(LEARNED_BEFORE.format(n_learned))

    def _read(self, dataset: datasets.Dataset, path: Path | None) -> tuple[list[LabelledText], Counter[str]]:
        """Return the rows to import, and the counts of the rows left out, from `read_training_rows`."""
        try:
            if path:
                paths = datasets.find_files(dataset, path)
            elif dataset.can_be_downloaded:
                paths = datasets.download_files(dataset, settings.DATA_DIR / "datasets")
            else:
                raise CommandError(
                    f"This release knows no checksum for {dataset.name}, so it does not download it. Download"
                    f" {', '.join(dataset.files)} from {dataset.home} and use --from FILE."
                )
            return datasets.read_training_rows(dataset, paths)
        except FileError as error:
            raise CommandError(f"{error} For {dataset.name}, get {', '.join(dataset.files)} from {dataset.home}.") from error

    def _ask_for_consent(self, dataset: datasets.Dataset, is_accepted: bool) -> None:
        self.stdout.write(f"{dataset.name}: {dataset.home}\nLicence: {dataset.licence}\nPlease cite: {dataset.citation}\n")
        if is_accepted:
            return
        if not sys.stdin.isatty():
            raise CommandError("Add --yes to accept this.")
        if input("Use it under this licence? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was imported.")
