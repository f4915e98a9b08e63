import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from api.labels import selectors
from api.labels.files import FileError, LabelledTweet, RowError, read_tweets
from api.management.judging import judge_texts
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
        "Score the active version's model on a labelled CSV file, beside a baseline that always gives the more frequent label."
        " Reviews do not answer here. Texts that have a label in this service are counted, because the figures flatter on them."
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
        columns = {**_DEFAULTS, **_PRESETS.get(preset, {})}
        columns |= {name: options[name] for name in _DEFAULTS if options[name]}
        rows, n_bad = self._read(file, columns)
        texts = [row.text for row in rows]
        verdicts = judge_texts(texts)
        figures = {
            "file": file.name,
            "version": verdicts[0].version,
            "bad_rows": n_bad,
            "labelled_here": selectors.count_labelled(texts),
            **evaluate(
                [row.is_hate_speech for row in rows],
                [verdict.probability for verdict in verdicts],
                verdicts[0].threshold,
                {column: [row.groups[at] for row in rows] for at, column in enumerate(columns["group_columns"])},
            ),
        }
        self._show(figures, json_file)

    def _read(self, file: Path, columns: dict) -> tuple[list[LabelledTweet], int]:
        """Return the good rows of a file, and how many bad ones there were; each of those is reported by its line."""
        rows, n_bad = [], 0
        hate_values = {value.strip() for value in columns["hate_values"].split(",")}
        try:
            for row in read_tweets(file, **{**columns, "hate_values": hate_values}):
                if isinstance(row, RowError):
                    n_bad += 1
                    self.stderr.write(f"line {row.line}: {row.message}")
                else:
                    rows.append(row)
        except FileError as error:
            raise CommandError(str(error)) from error
        if not rows:
            raise CommandError(f"{file} holds no labelled text.")
        return rows, n_bad

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
