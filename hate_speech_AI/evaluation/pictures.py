"""The pictures of the report: Matplotlib's SVG, in the page's colours and font, so that they fit light and dark."""

import io
import re
from html import escape

import numpy as np

from .functional_checks import read_functional_checks

# Colours that no picture would use by itself, and the page's variables that take their place.
_INK, _FAINT, _MAIN, _OTHER = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {_INK: "var(--ink)", _FAINT: "var(--faint)", _MAIN: "var(--main)", _OTHER: "var(--other)"}


def _new_figure(width: float, height: float):
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


def _render_svg(figure, described: str) -> str:
    import matplotlib as mpl

    out = io.StringIO()
    # Text stays text: smaller, and in the page's font. The salt keeps the ids the same from one drawing to the next.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": described}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: ([0-9.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    # The ids of several pictures share one page.
    prefix = re.sub(r"\W+", "-", described)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(described)}" ', 1)


def draw_precision_recall(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> str:
    """Draw precision over recall for every threshold, with a dot for this one."""
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


def draw_calibration(labels: np.ndarray, probabilities: np.ndarray) -> str:
    """Draw the share of hateful texts over the probability that was given, in ten bins of equal width."""
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


def draw_history(manifests: list[dict]) -> str:
    """Draw the scores of versions, oldest first; a hollow point is a version that the gate refused."""
    figure, axes = _new_figure(4.6, 2.6)
    scores = [manifest["score"]["score"] for manifest in manifests]
    axes.plot(range(len(scores)), scores, color=_MAIN, linewidth=1.5)
    for at, manifest in enumerate(manifests):
        fill = _MAIN if manifest["gate"]["passed"] else "none"
        axes.plot(at, scores[at], "o", color=_MAIN, markerfacecolor=fill, markersize=6)
    shown = sorted({0, len(manifests) - 1})
    axes.set_xticks(shown, [manifests[at]["version"][:13] for at in shown], color=_INK)
    axes.set_ylabel("F1", color=_INK)
    axes.set_ylim(max(0, min(scores) - 0.1), min(1.02, max(scores) + 0.1))
    return _render_svg(figure, "Score history")


def draw_checks(groups: dict[str, float], parent: dict | None) -> str:
    """Draw the accuracy on each group of functional checks, with a mark for that of the parent, whose manifest is given."""
    names = list(groups)[::-1]
    figure, axes = _new_figure(9.6, 0.27 * len(names) + 0.6)
    labels = {check.group: [] for check in read_functional_checks()}
    for check in read_functional_checks():
        labels[check.group].append(check.label)
    kinds = {name: {1.0: "hate", 0.0: "not hate"}.get(float(np.mean(labels[name])), "both") for name in names}
    axes.barh(range(len(names)), [groups[name] for name in names], color=_MAIN, height=0.65)
    for at, name in enumerate(names):
        axes.text(1.01, at, f"{groups[name]:.0%}", va="center", color=_INK, fontsize=9)
        if parent and name in parent["checks"]["groups"]:
            axes.plot([parent["checks"]["groups"][name]] * 2, [at - 0.42, at + 0.42], color=_OTHER, linewidth=2.5)
    axes.set_yticks(range(len(names)), [f"{name.replace('_', ' ')} ({kinds[name]})" for name in names], color=_INK)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(names) - 0.4))
    return _render_svg(figure, "Functional checks by group")


def draw_identities(identities: dict[str, dict]) -> str:
    """Draw the error rates on the functional checks by the identity group that they name."""
    names = list(identities)[::-1]
    figure, axes = _new_figure(9.6, 0.45 * len(names) + 0.9)
    places = np.arange(len(names))
    for offset, key, colour, label in (
        (0.2, "false_positive_rate", _MAIN, "false positives: harmless texts called hateful"),
        (-0.2, "false_negative_rate", _OTHER, "false negatives: hateful texts missed"),
    ):
        axes.barh(places + offset, [identities[name][key] for name in names], 0.36, color=colour, label=label)
    axes.set_yticks(places, names, color=_INK)
    axes.set_xlim(0, 1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, 1.16), ncols=2, frameon=False, labelcolor=_INK)
    return _render_svg(figure, "Error rates by identity group")
