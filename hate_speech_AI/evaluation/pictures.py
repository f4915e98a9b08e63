"""The pictures of the report: SVG by Matplotlib, in the colours and the font of the page, for light and dark mode."""

import io
import re
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import Bools, Floats
from ..manifest import ErrorRates
from .functional_checks import read_functional_checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that Matplotlib itself never uses. The variables of the page replace them.
_INK, _FAINT, _MAIN, _OTHER = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {_INK: "var(--ink)", _FAINT: "var(--faint)", _MAIN: "var(--main)", _OTHER: "var(--other)"}


class PastScore(NamedTuple):
    """The score of a version, and whether it passed the gate."""

    version: str
    score: float
    passed: bool


def _new_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    # Not at the top: only trainings draw, and the import takes half a second.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot(facecolor="none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(colors=_INK, length=0)
    axes.grid(color=_FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def _render_svg(figure: "Figure", described: str) -> str:
    import matplotlib as mpl

    out = io.StringIO()
    # Text stays text, which is smaller and takes the font of the page. The salt makes the ids the same in each drawing.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": described}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: ([0-9.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    # Several pictures share one page, so their ids get a prefix.
    prefix = re.sub(r"\W+", "-", described)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(described)}" ', 1)


def draw_precision_recall(labels: Bools, probabilities: Floats, threshold: float) -> str:
    """Draw precision over recall for every threshold, with a dot for the given one."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = _new_figure(4.6, 3.4)
    if labels.any():
        precision, recall, _ = precision_recall_curve(labels, probabilities)
        at = np.unique(np.linspace(0, len(recall) - 1, 400).astype(int))
        axes.plot(recall[at], precision[at], color=_MAIN, linewidth=2)
        flagged = probabilities >= threshold
        hits = (flagged & labels).sum()
        axes.plot(hits / labels.sum(), hits / max(flagged.sum(), 1), "o", color=_OTHER, markersize=8)
    axes.set_xlabel("recall", color=_INK)
    axes.set_ylabel("precision", color=_INK)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    return _render_svg(figure, "Precision-recall curve")


def draw_calibration(labels: Bools, probabilities: Floats) -> str:
    """Draw the share of hateful texts over their mean probability, in ten bins of equal width."""
    figure, axes = _new_figure(4.6, 3.4)
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1.5)
    bins = np.minimum((probabilities * 10).astype(int), 9)
    said = [(probabilities[bins == at].mean(), labels[bins == at].mean()) for at in range(10) if (bins == at).sum() >= 5]
    if said:
        axes.plot(*zip(*said, strict=True), "o-", color=_MAIN, linewidth=2)
    axes.set_xlabel("probability given", color=_INK)
    axes.set_ylabel("share that is hateful", color=_INK)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    return _render_svg(figure, "Calibration curve")


def draw_history(history: list[PastScore]) -> str:
    """Draw the scores of versions, oldest first. A hollow point is a version that the gate refused."""
    figure, axes = _new_figure(4.6, 2.6)
    scores = [past.score for past in history]
    axes.plot(range(len(scores)), scores, color=_MAIN, linewidth=1.5)
    for at, past in enumerate(history):
        fill = _MAIN if past.passed else "none"
        axes.plot(at, past.score, "o", color=_MAIN, markerfacecolor=fill, markersize=6)
    shown = sorted({0, len(history) - 1})
    axes.set_xticks(shown, [history[at].version[:13] for at in shown], color=_INK)
    axes.set_ylabel("F1", color=_INK)
    axes.set_ylim(max(0, min(scores) - 0.1), min(1.02, max(scores) + 0.1))
    return _render_svg(figure, "Score history")


def draw_checks(groups: dict[str, float], before: dict[str, float]) -> str:
    """Draw the accuracy on each group of functional checks, with a mark for the accuracy of the parent.

    Parameters
    ----------
    groups, before : dict of str to float
        The accuracy by group. The parent may lack groups.
    """
    names = list(groups)[::-1]
    figure, axes = _new_figure(9.6, 0.27 * len(names) + 0.6)
    labels: dict[str, set[bool]] = defaultdict(set)
    for check in read_functional_checks():
        labels[check.group].add(check.label)
    kinds = {name: "both" if len(labels[name]) == 2 else "hate" if True in labels[name] else "not hate" for name in names}
    axes.barh(range(len(names)), [groups[name] for name in names], color=_MAIN, height=0.65)
    for at, name in enumerate(names):
        axes.text(1.01, at, f"{groups[name]:.0%}", va="center", color=_INK, fontsize=9)
        if name in before:
            axes.plot([before[name]] * 2, [at - 0.42, at + 0.42], color=_OTHER, linewidth=2.5)
    axes.set_yticks(range(len(names)), [f"{name.replace('_', ' ')} ({kinds[name]})" for name in names], color=_INK)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(names) - 0.4))
    return _render_svg(figure, "Functional checks by group")


def draw_identities(identities: dict[str, ErrorRates]) -> str:
    """Draw the error rates on the functional checks by the identity that they name."""
    names = list(identities)[::-1]
    figure, axes = _new_figure(9.6, 0.45 * len(names) + 0.9)
    places = np.arange(len(names))
    rates = [identities[name] for name in names]
    for offset, values, colour, label in (
        (0.2, [rate["false_positive_rate"] for rate in rates], _MAIN, "false positives: harmless texts called hateful"),
        (-0.2, [rate["false_negative_rate"] for rate in rates], _OTHER, "false negatives: hateful texts missed"),
    ):
        axes.barh(places + offset, values, 0.36, color=colour, label=label)
    axes.set_yticks(places, names, color=_INK)
    axes.set_xlim(0, 1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, 1.16), ncols=2, frameon=False, labelcolor=_INK)
    return _render_svg(figure, "Error rates by identity group")
