import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.labels import selectors
from api.labels.files import FileError, LabelledTweet, RowError, read_tweets
from api.management.judging import judge_texts
from api.web.words import count
from hate_speech_AI.core import Prediction
from hate_speech_AI.evaluation.metrics import count_errors_by_target, evaluate, format_table
from hate_speech_AI.labels import PRIMARY, TARGETS
from hate_speech_AI.manifest import TargetErrors


class _Columns(NamedTuple):
    """The columns of a file, and the labels that mean hate."""

    text_column: str = ""
    label_column: str = ""
    hate_values: str = ""
    group_columns: Sequence[str] = ()


# The columns of public functional suites; their files are not part of this project.
_PRESETS = {
    "hatecheck": _Columns("test_case", "label_gold", "hateful", ["functionality", "target_ident"]),
    "hatemojicheck": _Columns("text", "label_gold", "1,hateful", ["functionality", "target"]),
}


class Command(BaseCommand):
    help = (
        "Score a version's model on a labelled file, beside a baseline that always predicts the more frequent label."
        " Reviews are ignored. Texts that have a label in this service are counted, because the model may have learned them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--version", dest="model_version", metavar="NAME", help="score this version, not the active one")
        parser.add_argument("--preset", choices=sorted(_PRESETS), help="the columns of a public suite")
        parser.add_argument("--text-column", help="the column of the texts (default: tweet, text or the like)")
        parser.add_argument("--label-column", help="the column of the labels (default: label or the like)")
        parser.add_argument("--hate-values", help="the labels that mean hate, separated by commas; all others mean not hate then")
        parser.add_argument(
            "--group-column", dest="group_columns", action="append", help="add figures for each value of this column; repeatable"
        )
        parser.add_argument(
            "--json",
            dest="json_file",
            type=Path,
            metavar="FILE",
            help="also write the figures to FILE as JSON; - prints JSON only",
        )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # --version is Django's own of every command; here it has a meaning of its own.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(
        self, *, file: Path, preset: str | None, json_file: Path | None, model_version: str | None, **options: Any
    ) -> None:
        columns = _PRESETS[preset] if preset else _Columns()
        columns = columns._replace(**{name: options[name] for name in columns._fields if options[name]})
        rows, n_bad = self._read(file, columns)
        texts = [row.text for row in rows]
        verdicts = judge_texts(texts, model_version)
        truth = [row.labels[PRIMARY] for row in rows]
        figures = {
            "file": file.name,
            "version": verdicts[0].version,
            "bad_rows": n_bad,
            "labelled_here": selectors.count_labelled(texts),
            **evaluate(
                truth,
                [verdict.probability for verdict in verdicts],
                verdicts[0].threshold,
                {column: [row.groups[at] for row in rows] for at, column in enumerate(columns.group_columns)},
            ),
            "targets": _count_errors(truth, verdicts),
        }
        self._show(figures, json_file)

    def _read(self, file: Path, columns: _Columns) -> tuple[list[LabelledTweet], int]:
        """Return the good rows of a file and the number of bad ones, which are reported by line."""
        rows, n_bad = [], 0
        hate_values = {value.strip() for value in columns.hate_values.split(",") if value.strip()}
        try:
            for row in read_tweets(file, **{**columns._asdict(), "hate_values": hate_values}):
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

    def _show(self, figures: dict[str, Any], path: Path | None) -> None:
        text = json.dumps(figures, indent=2) + "\n"
        if path == Path("-"):
            self.stdout.write(text)
            return
        overall = figures["all"]
        self.stdout.write(
            f"{figures['file']}: {count(overall['n'], 'text')} by version {figures['version']},"
            f" {count(figures['bad_rows'], 'bad row')}."
        )
        if figures["labelled_here"]:
            self.stdout.write(f"The version may have learned from {count(figures['labelled_here'], 'text')}: labelled here too.")
        self.stdout.write(format_table({"all": overall}))
        for column, groups in figures["groups"].items():
            self.stdout.write(f"\nBy {column}:\n{format_table(groups)}")
        if figures["targets"]:
            self.stdout.write(f"\nBy the group that the version says is attacked:\n{format_table(figures['targets'])}")
        if path:
            try:
                path.write_text(text, "utf-8")
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def _count_errors(truth: list[bool], verdicts: list[Prediction]) -> dict[str, TargetErrors]:
    """Return the errors by the target that the verdicts name. There are none if the engine knows no targets."""
    places = {target: np.array([target in (verdict.targets or ()) for verdict in verdicts]) for target in TARGETS}
    flagged = np.array([verdict.is_hate_speech for verdict in verdicts])
    return count_errors_by_target({target: has for target, has in places.items() if has.any()}, np.array(truth), flagged)
