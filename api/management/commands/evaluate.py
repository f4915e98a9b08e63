import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from api import importers, selectors
from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.evaluation.metrics import evaluate, format_table

# The columns of public functional suites; their files are not part of this project.
_PRESETS = {
    "hatecheck": {
        "text_column": "test_case",
        "label_column": "label_gold",
        "hate_values": "hateful",
        "group_columns": ["functionality", "target_ident"],
    },
    "hatemojicheck": {
        "text_column": "text",
        "label_column": "label_gold",
        "hate_values": "1,hateful",
        "group_columns": ["functionality", "target"],
    },
}
_DEFAULTS = {"text_column": "tweet", "label_column": "label", "hate_values": "1", "group_columns": []}


class Command(BaseCommand):
    help = (
        "Score a labelled CSV file with the active version's model (reviews apart), beside what always giving the more frequent"
        " label would reach. Texts that this service has a label for are counted: on those the figures flatter."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--preset", choices=sorted(_PRESETS), help="the columns of a public suite")
        parser.add_argument("--text-column", help="the column of the texts (default: tweet)")
        parser.add_argument("--label-column", help="the column of the labels (default: label)")
        parser.add_argument("--hate-values", help="the labels that mean hate, with commas between them (default: 1)")
        parser.add_argument(
            "--group-column", dest="group_columns", action="append", help="figures by this column too; repeatable"
        )
        parser.add_argument(
            "--json", dest="json_file", type=Path, metavar="FILE", help="write the figures to FILE too; - writes them instead"
        )

    def handle(self, *, file, preset, json_file, **options):
        chosen = {**_DEFAULTS, **_PRESETS.get(preset, {})}
        chosen |= {name: options[name] for name in _DEFAULTS if options[name]}
        hate_values = {value.strip() for value in chosen["hate_values"].split(",")}
        rows, bad = [], 0
        try:
            for row in importers.read_tweets(
                file,
                text_column=chosen["text_column"],
                label_column=chosen["label_column"],
                hate_values=hate_values,
                group_columns=chosen["group_columns"],
            ):
                if isinstance(row, importers.RowError):
                    bad += 1
                    self.stderr.write(f"line {row.line}: {row.message}")
                else:
                    rows.append(row)
        except importers.FileError as error:
            raise CommandError(str(error)) from error
        if not rows:
            raise CommandError(f"{file} holds no labelled text.")
        try:
            predictions = [
                prediction
                for at in tqdm(range(0, len(rows), 1000), desc="Judging", unit="k texts", leave=False)
                for prediction in classifier.predict([row.text for row in rows[at : at + 1000]], with_reviews=False)
            ]
        except HateSpeechError as error:
            raise CommandError(str(error)) from error
        figures = {
            "file": file.name,
            "version": predictions[0].version,
            "bad_rows": bad,
            "labelled_here": selectors.count_labelled([row.text for row in rows]),
            **evaluate(
                [row.is_hate_speech for row in rows],
                [prediction.probability for prediction in predictions],
                predictions[0].threshold,
                {column: [row.groups[at] for row in rows] for at, column in enumerate(chosen["group_columns"])},
            ),
        }
        self._show(figures, json_file)

    def _show(self, figures: dict, path: Path | None) -> None:
        text = json.dumps(figures, indent=2) + "\n"
        if path == Path("-"):
            self.stdout.write(text)
            return
        everything = figures["all"]
        self.stdout.write(
            f"{figures['file']}: {everything['n']:,} texts by version {figures['version']}, {figures['bad_rows']} bad rows."
        )
        if figures["labelled_here"]:
            self.stdout.write(f"{figures['labelled_here']:,} of the texts have a label here: it may have learned from them.")
        self.stdout.write(format_table({"all": everything}))
        for column, groups in figures["groups"].items():
            self.stdout.write(f"\nBy {column}:\n{format_table(groups)}")
        if path:
            try:
                path.write_text(text, "utf-8")
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}") from error
