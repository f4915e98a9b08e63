from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.compat.perspective.request import ATTRIBUTES
from api.labels.files import FileError, RowError, read_rows
from api.management.judging import judge_texts
from api.web.words import count


class Command(BaseCommand):
    help = (
        "Choose the threshold for a client that used another detector before. FILE holds texts with the other detector's scores."
        " The command finds the threshold that flags the same share of them here, and draws both curves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file, gzipped or not")
        parser.add_argument("--flagged-from", type=float, required=True, metavar="SCORE", help="the old threshold, such as 0.8")
        parser.add_argument("--text-column", default="text", help="the column of the texts (default: text)")
        parser.add_argument("--score-column", default="score", help="the column of the old scores, 0 to 1 (default: score)")
        parser.add_argument(
            "--attribute", choices=list(ATTRIBUTES), default="IDENTITY_ATTACK", help="the attribute that the client requests"
        )
        parser.add_argument("--plot", type=Path, metavar="FILE", default=Path("calibration.png"), help="PNG, SVG or PDF")

    def handle(
        self,
        *,
        file: Path,
        flagged_from: float,
        text_column: str,
        score_column: str,
        attribute: str,
        plot: Path,
        **options: object,
    ) -> None:
        texts, old = self._read(file, text_column, score_column)
        before = old >= flagged_from
        if not before.any():
            raise CommandError(f"None of the {len(old):,} scores reaches {flagged_from}: there is no share to keep.")
        new = self._judge(texts, attribute)
        # As many texts reach it as were flagged before, or more if several have exactly this score.
        threshold = float(np.sort(new)[::-1][before.sum() - 1])
        after = new >= threshold
        self.stdout.write(
            f"{count(len(texts), 'text')}; {before.sum():,} ({before.mean():.1%}) were flagged from {flagged_from} on.\n"
            f"Threshold {threshold:.4f} of {attribute} flags {after.sum():,} ({after.mean():.1%}), {(before & after).sum():,} of"
            " them flagged before too. Read some of those that differ before you switch."
        )
        try:
            draw_curves(plot, old, flagged_from, new, threshold)
        except (OSError, ValueError) as error:
            raise CommandError(f"{plot} cannot be written: {error}") from error
        self.stdout.write(f"The curves are in {plot}.")

    def _read(self, file: Path, text_column: str, score_column: str) -> tuple[list[str], np.ndarray]:
        texts, scores = [], []
        try:
            for row in read_rows(file, text_column=text_column, label_column=score_column):
                if isinstance(row, RowError):
                    self.stderr.write(f"line {row.line}: {row.message}")
                elif (score := _read_score(row.labels)) is None:
                    self.stderr.write(f"line {row.line}: the score is not a number from 0 to 1")
                else:
                    texts.append(row.text)
                    scores.append(score)
        except FileError as error:
            raise CommandError(str(error).replace("--label-column", "--score-column")) from error
        if not texts:
            raise CommandError(f"{file} holds no text with a score.")
        return texts, np.array(scores)

    def _judge(self, texts: list[str], attribute: str) -> np.ndarray:
        judged = [prediction.labels.get(ATTRIBUTES[attribute]) for prediction in judge_texts(texts)]
        if None in judged:
            raise CommandError(f"The active version does not score {attribute}; HATE_SPEECH_ENGINE=encoder does.")
        return np.array(judged)


def _read_score(said: tuple[str, ...]) -> float | None:
    try:
        [score] = map(float, said)
    except ValueError:
        return None
    return score if 0 <= score <= 1 else None


def draw_curves(path: Path, old: np.ndarray, old_threshold: float, new: np.ndarray, new_threshold: float) -> None:
    """Draw the share of texts that each threshold flags: one curve for the old scores, one for the new."""
    from matplotlib.figure import Figure  # not at the top: it takes half a second

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    thresholds = np.linspace(0, 1, 501)
    for scores, threshold, name, colour in (
        (old, old_threshold, "old score", "#888888"),
        (new, new_threshold, "here", "#1f6feb"),
    ):
        axes.plot(thresholds, [(scores >= at).mean() for at in thresholds], color=colour, label=name)
        axes.plot(threshold, (scores >= threshold).mean(), "o", color=colour)
        axes.annotate(f"{threshold:.3f}", (threshold, (scores >= threshold).mean()), (4, 6), textcoords="offset points")
    axes.set(xlabel="threshold", ylabel="share of texts flagged", xlim=(0, 1), ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(linewidth=0.4)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
