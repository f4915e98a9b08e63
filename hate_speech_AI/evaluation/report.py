"""The report of a version: one self-contained page, without a script, that says at a glance how good the version is.

Pictures are Matplotlib's SVG, their colours and fonts replaced by the page's own, so that they fit light and dark.
"""

import io
import re
from html import escape

import numpy as np

from ..training.candidate import Candidate
from ..training.rows import labels_of
from .functional_checks import functional_checks
from .intervals import f1_interval

_MISTAKES = 15  # shown of each kind
_SHOWN_CHARACTERS = 500
_HISTORY = 30  # versions in the picture
_SCORED = {"held_out": "held-out tweets", "shipped": "texts of the shipped evaluation set"}
_SLICES = {
    "held_out": "held-out rows as they stood then",
    "newer": "rows that came or changed since",
    "shipped": "shipped evaluation set",
}
# Colours that no picture would use by itself, and the page's variables that take their place.
_INK, _FAINT, _MAIN, _OTHER = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {_INK: "var(--ink)", _FAINT: "var(--faint)", _MAIN: "var(--main)", _OTHER: "var(--other)"}

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1d21; --faint: #d5d7de; --main: #1d63b8; --other: #c2571a;
  --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #17181c; --ink: #e6e7eb; --faint: #43464f; --main: #7fb2f0; --other: #f0a36b; --bad: #ff8a80; }
}
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
.score { font-size: 3rem; line-height: 1.1; font-weight: 650; } .note { opacity: .75; margin: .2rem 0; font-size: .9rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 2rem; }
svg { width: 100%; height: auto; } table { border-collapse: collapse; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid var(--faint); font-weight: normal; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } .bad { color: var(--bad); font-weight: 650; }
summary { cursor: pointer; margin: .5rem 0; } li { overflow-wrap: anywhere; margin: .3rem 0; }
"""


def render(name: str, candidate: Candidate, manifest: dict, history: list[dict]) -> str:
    """Return the report of `candidate` as version `name`: a page of HTML under 3 MB.

    Parameters
    ----------
    manifest : dict
        With the gate's verdict and the parent's name.
    history : list of dict
        Manifests of earlier versions, oldest first; the parent's is among them if it can still be read.
    """
    labels, probabilities = candidate.scored.labels, candidate.scored.probabilities
    parent = next((earlier for earlier in history if earlier["version"] == manifest["parent"]), None)
    figures = manifest["score"]
    flagged = probabilities >= manifest["threshold"]
    low, high = f1_interval(labels, flagged)
    gate = manifest["gate"]
    summary = (
        f"Score: F1 of the hate class on {len(labels):,} {_SCORED[figures['of']]}; between {low:.3f} and {high:.3f} with 95 %"
        f" confidence. Precision {figures['precision']:.3f}, recall {figures['recall']:.3f}, ROC AUC"
        f" {_number(figures['roc_auc'])}. Trained on {figures['trained_on']:,} tweets, {escape(figures['trained_at'])}."
    )
    parts = [
        f"<h1>Version {escape(name)}</h1>",
        f'<p class="score">{figures["score"]:.3f}</p>',
        f'<p class="note">{summary}</p>',
        _gate(gate),
        '<div class="pair">',
        _section("What it finds, and how often it is right", _precision_recall(labels, probabilities, manifest["threshold"]),
                 "Recall: share of the hateful texts found. Precision: share of the found that are hateful. Each point of"
                 " the line is a threshold; the dot is this version's."),
        _section("Whether its probabilities are true", _calibration(labels, probabilities),
                 "On the diagonal, of the texts called 70 % probable 70 % are hateful."),
        "</div>",
        '<div class="pair">',
        _section("Right and wrong", _confusion(labels, flagged), f"{_SCORED[figures['of']].capitalize()}."),
        _section("Score of the versions", _history([*history[1 - _HISTORY :], {**manifest, "version": name}]),
                 "The last is this one; a hollow point is a version that the gate refused."),
        "</div>",
        _section("Functional checks", _checks(manifest["checks"]["groups"], parent),
                 "Share of the cases of each group that are answered rightly. The bar is this version, the mark its parent."
                 f" {len(functional_checks()):,} cases written for this project."),
        _section("Errors by the group that a text names", _identities(manifest["checks"]["identities"]),
                 "From the functional checks. Bars of one colour should be of one length: a longer one is a group whose members"
                 " are silenced more often, or protected less."),
        _section("By source", _by_source(manifest["by_source"]), "By where the labels come from."),
        _mistakes(candidate, labels_of(candidate.held_out), candidate.probabilities >= manifest["threshold"]),
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Version {escape(name)}</title><style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _section(title: str, content: str, note: str) -> str:
    return f'<section><h2>{title}</h2><p class="note">{note}</p>{content}</section>'


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _gate(gate: dict) -> str:
    if gate["rival"] is None:
        return "<p>It passed the gate without a rival: nothing comparable was active before it.</p>"
    if gate["passed"]:
        text = f"<p>It passed the gate against {escape(gate['rival'])}.</p>"
    else:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in gate["reasons"])
        text = f'<p class="bad">The gate refused it against {escape(gate["rival"])}:</p><ul>{reasons}</ul>'
    rows = "".join(
        f"<tr><td>{_SLICES[name]}</td>"
        f'<td class="n">{both["candidate"]["n"]:,}</td><td class="n">{both["candidate"]["f1"]:.3f}</td>'
        f'<td class="n">{both["rival"]["f1"]:.3f}</td></tr>'
        for name, both in gate["slices"].items()
    )
    return text + f"<table><tr><th>F1, models alone</th><th>tweets</th><th>this version</th><th>its rival</th></tr>{rows}</table>"


def _confusion(labels: np.ndarray, flagged: np.ndarray) -> str:
    def cell(truth: bool, said: bool) -> str:
        share = (labels == truth).sum()
        count = int(((labels == truth) & (flagged == said)).sum())
        return f'<td class="n">{count:,}<br><span class="note">{count / share if share else 0:.0%}</span></td>'

    return (
        "<table><tr><th></th><th>called hateful</th><th>called not hateful</th></tr>"
        f"<tr><th>is hateful</th>{cell(True, True)}{cell(True, False)}</tr>"
        f"<tr><th>is not hateful</th>{cell(False, True)}{cell(False, False)}</tr></table>"
    )


def _by_source(by_source: dict[str, dict]) -> str:
    rows = "".join(
        f'<tr><td>{escape(source)}</td><td class="n">{figures["n"]:,}</td>'
        + "".join(f'<td class="n">{_number(figures[key])}</td>' for key in ("f1", "precision", "recall", "roc_auc"))
        + "</tr>"
        for source, figures in by_source.items()
    )
    head = "<th>source</th><th>tweets</th><th>F1</th><th>precision</th><th>recall</th><th>ROC AUC</th>"
    return f"<table><tr>{head}</tr>{rows}</table>"


def _mistakes(candidate: Candidate, labels: np.ndarray, flagged: np.ndarray) -> str:
    lists = []
    for title, is_kind, order in (
        ("Called hateful, though they are not", flagged & ~labels, -candidate.probabilities),
        ("Missed, though they are hateful", ~flagged & labels, candidate.probabilities),
    ):
        places = [int(at) for at in np.argsort(order, kind="stable") if is_kind[at]][:_MISTAKES]
        items = "".join(
            f"<li>{candidate.probabilities[at]:.1%}: {escape(candidate.held_out[at].text[:_SHOWN_CHARACTERS])}</li>"
            for at in places
        )
        lists.append(f"<details><summary>{title}</summary><ol>{items}</ol></details>")
    note = "What people posted, hate speech included. Click to read. Some are mistakes of the labels."
    return _section("The most confident mistakes", "".join(lists), note)


# --- pictures ---


def _figure(width: float, height: float):
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


def _svg(figure, described: str) -> str:
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


def _precision_recall(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> str:
    from sklearn.metrics import precision_recall_curve

    figure, axes = _figure(4.6, 3.4)
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
    return _svg(figure, "Precision-recall curve")


def _calibration(labels: np.ndarray, probabilities: np.ndarray) -> str:
    figure, axes = _figure(4.6, 3.4)
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1.5)
    bins = np.minimum((probabilities * 10).astype(int), 9)
    said = [(probabilities[bins == at].mean(), labels[bins == at].mean()) for at in range(10) if (bins == at).sum() >= 5]
    if said:
        axes.plot(*zip(*said, strict=True), "o-", color=_MAIN, linewidth=2)
    axes.set_xlabel("probability given", color=_INK)
    axes.set_ylabel("share that is hateful", color=_INK)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    return _svg(figure, "Calibration curve")


def _history(manifests: list[dict]) -> str:
    figure, axes = _figure(4.6, 2.6)
    scores = [manifest["score"]["score"] for manifest in manifests]
    axes.plot(range(len(scores)), scores, color=_MAIN, linewidth=1.5)
    for at, manifest in enumerate(manifests):
        fill = _MAIN if manifest["gate"]["passed"] else "none"
        axes.plot(at, scores[at], "o", color=_MAIN, markerfacecolor=fill, markersize=6)
    shown = sorted({0, len(manifests) - 1})
    axes.set_xticks(shown, [manifests[at]["version"][:13] for at in shown], color=_INK)
    axes.set_ylabel("F1", color=_INK)
    axes.set_ylim(max(0, min(scores) - 0.1), min(1.02, max(scores) + 0.1))
    return _svg(figure, "Score history")


def _checks(groups: dict[str, float], parent: dict | None) -> str:
    names = list(groups)[::-1]
    figure, axes = _figure(9.6, 0.27 * len(names) + 0.6)
    labels = {check.group: [] for check in functional_checks()}
    for check in functional_checks():
        labels[check.group].append(check.label)
    kinds = {name: {1.0: "hate", 0.0: "not hate"}.get(float(np.mean(labels[name])), "both") for name in names}
    axes.barh(range(len(names)), [groups[name] for name in names], color=_MAIN, height=0.65)
    for at, name in enumerate(names):
        axes.text(1.01, at, f"{groups[name]:.0%}", va="center", color=_INK, fontsize=9)
        if parent and name in parent["checks"]["groups"]:
            axes.plot([parent["checks"]["groups"][name]] * 2, [at - 0.42, at + 0.42], color=_OTHER, linewidth=2.5)
    axes.set_yticks(range(len(names)), [f"{name.replace('_', ' ')} ({kinds[name]})" for name in names], color=_INK)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(names) - 0.4))
    return _svg(figure, "Functional checks by group")


def _identities(identities: dict[str, dict]) -> str:
    names = list(identities)[::-1]
    figure, axes = _figure(9.6, 0.45 * len(names) + 0.9)
    places = np.arange(len(names))
    for offset, key, colour, label in (
        (0.2, "false_positive_rate", _MAIN, "false positives: harmless texts called hateful"),
        (-0.2, "false_negative_rate", _OTHER, "false negatives: hateful texts missed"),
    ):
        axes.barh(places + offset, [identities[name][key] for name in names], 0.36, color=colour, label=label)
    axes.set_yticks(places, names, color=_INK)
    axes.set_xlim(0, 1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, 1.16), ncols=2, frameon=False, labelcolor=_INK)
    return _svg(figure, "Error rates by identity group")
