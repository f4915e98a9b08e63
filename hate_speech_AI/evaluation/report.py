"""The report of a version: one self-contained page without a script. It shows at a glance how good the version is."""

from html import escape

import numpy as np

from ..arrays import Bools
from ..manifest import Figures, GateVerdict, JudgedManifest, LabelGroup, Manifest, OwnReviews, Score, TargetErrors
from ..training.candidate import Candidate
from ..training.rows import list_values
from .functional_checks import read_functional_checks
from .intervals import estimate_f1_interval
from .pictures import PastScore, draw_calibration, draw_checks, draw_history, draw_identities, draw_precision_recall

_MISTAKES = 15  # shown of each kind
_SHOWN_CHARACTERS = 500
_HISTORY = 30  # versions in the picture
_SCORED = {"held_out": "held-out tweets", "shipped": "texts of the shipped evaluation set"}
_SLICES = {
    "held_out": "held-out rows as they stood then",
    "imported": "imported ones among them",
    "newer": "rows with new or changed labels",
    "shipped": "shipped evaluation set",
}

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


_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}</title><style>{style}</style></head><body>\n{body}\n</body></html>\n"
)
_ABOUT_RECALL = (
    "Recall: the share of hateful texts that are flagged. Precision: the share of flagged texts that are hateful. Each point of"
    " the line is a threshold. The dot is the threshold of this version."
)
_ABOUT_CALIBRATION = "On the diagonal a probability is true: 70 % of the texts with a probability of 70 % are hateful."
_ABOUT_HISTORY = "The last point is this version. A hollow point is a version that the gate refused."
_ABOUT_CHECKS = "The share of correct answers in each group. The bar is this version, the mark its parent."
_ABOUT_IDENTITIES = (
    "From the functional checks. Bars of one colour should have one length. A longer bar is a group that is silenced more often,"
    " or protected less."
)
_ABOUT_TARGETS = (
    "From the shipped evaluation set, as its sources name the groups. A text may be about several. Few texts of a group say"
    " little."
)


def render(name: str, candidate: Candidate, manifest: JudgedManifest, history: list[Manifest]) -> str:
    """Render the report of a candidate as version `name`: a page of HTML under 3 MB.

    Parameters
    ----------
    manifest : JudgedManifest
        The manifest of the candidate, with the verdict of the gate.
    history : list of Manifest
        The manifests of earlier versions, oldest first. The parent's is among them if it can still be read.
    """
    labels, probabilities = candidate.scored.labels, candidate.scored.probabilities
    parent = next((earlier["checks"]["groups"] for earlier in history if earlier["version"] == manifest["parent"]), {})
    flagged = probabilities >= manifest["threshold"]
    shown = [PastScore(past["version"], past["score"]["score"], past["gate"]["passed"]) for past in history[1 - _HISTORY :]]
    shown.append(PastScore(name, manifest["score"]["score"], manifest["gate"]["passed"]))
    parts = [
        f"<h1>Version {escape(name)}</h1>",
        f'<p class="score">{manifest["score"]["score"]:.3f}</p>',
        f'<p class="note">{_summarise(manifest["score"], labels, flagged)}</p>',
        _describe_gate(manifest["gate"]),
        _list_set_aside(manifest["set_aside"]),
        '<div class="pair">',
        _section("What it finds, and how often it is right",
                 draw_precision_recall(labels, probabilities, manifest["threshold"]), _ABOUT_RECALL),
        _section("Whether its probabilities are true", draw_calibration(labels, probabilities), _ABOUT_CALIBRATION),
        "</div>",
        '<div class="pair">',
        _section("Right and wrong", _tabulate_confusion(labels, flagged), f"{_SCORED[manifest['score']['of']].capitalize()}."),
        _section("Score of the versions", draw_history(shown), _ABOUT_HISTORY),
        "</div>",
        _section("Functional checks", draw_checks(manifest["checks"]["groups"], parent),
                 f"{_ABOUT_CHECKS} {len(read_functional_checks()):,} cases written for this project."),
        _section("Errors by the group that a text names", draw_identities(manifest["checks"]["identities"]), _ABOUT_IDENTITIES),
        _list_target_errors(manifest["by_target"]),
        _section("By source", _tabulate_sources(manifest["by_source"]), "By where the labels come from."),
        _list_mistakes(candidate, list_values(candidate.held_out), candidate.probabilities >= manifest["threshold"]),
    ]  # fmt: skip
    return _PAGE.format(title=f"Version {escape(name)}", style=_STYLE, body="\n".join(parts))


def _summarise(score: Score, labels: Bools, flagged: Bools) -> str:
    low, high = estimate_f1_interval(labels, flagged)
    return (
        f"Score: F1 of the hate class on {len(labels):,} {_SCORED[score['of']]}; between {low:.3f} and {high:.3f} with 95 %"
        f" confidence. Precision {score['precision']:.3f}, recall {score['recall']:.3f}, ROC AUC"
        f" {_format_figure(score['roc_auc'])}. Trained on {score['trained_on']:,} tweets, {escape(score['trained_at'])}."
    )


def _section(title: str, content: str, note: str) -> str:
    return f'<section><h2>{title}</h2><p class="note">{note}</p>{content}</section>'


def _format_figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _describe_gate(gate: GateVerdict) -> str:
    if gate["rival"] is None:
        return "<p>It passed the gate without a rival: no comparable version was active before it.</p>"
    if gate["passed"]:
        text = f"<p>It passed the gate against {escape(gate['rival'])}.</p>"
    else:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in gate["reasons"])
        text = f'<p class="bad">The gate refused it against {escape(gate["rival"])}:</p><ul>{reasons}</ul>'
    text += _describe_own_reviews(gate["own_reviews"]) if "own_reviews" in gate else ""
    rows = "".join(
        f"<tr><td>{_SLICES[name]}</td>"
        f'<td class="n">{both["candidate"]["n"]:,}</td><td class="n">{both["candidate"]["f1"]:.3f}</td>'
        f'<td class="n">{both["rival"]["f1"]:.3f}</td></tr>'
        for name, both in gate["slices"].items()
    )
    return text + f"<table><tr><th>F1, models alone</th><th>tweets</th><th>this version</th><th>its rival</th></tr>{rows}</table>"


def _describe_own_reviews(own: OwnReviews) -> str:
    verdict = (
        "So it may forget a part of the shipped evaluation set, up to a limit for all nights."
        if own["may_forget"]
        else f"It may not forget anything for that: {own['reason']}."
    )
    difference = "" if own["interval"] is None else "; the difference lies between {:+.3f} and {:+.3f}".format(*own["interval"])
    return (
        f"<p>Its {own['reviews']:,} reviews (near copies once, {own['texts']:,}), each judged by a model that had not learned it:"
        f" log loss {_format_figure(own['candidate'])} against {_format_figure(own['anchor'])}, less is better{difference}."
        f" {verdict}</p>"
    )


def _list_set_aside(groups: list[LabelGroup]) -> str:
    if not groups:
        return ""
    items = "".join(
        f"<li>{group['labels']:,} from {escape(group['source'])}{' by key ' + escape(group['key']) if group['key'] else ''},"
        f" {escape(group['night'])}</li>"
        for group in groups
    )
    return f'<p class="bad">With these labels the gate refused it, so they were set aside:</p><ul>{items}</ul>'


def _tabulate_confusion(labels: Bools, flagged: Bools) -> str:
    def cell(truth: bool, said: bool) -> str:
        share = (labels == truth).sum()
        count = int(((labels == truth) & (flagged == said)).sum())
        return f'<td class="n">{count:,}<br><span class="note">{count / share if share else 0:.0%}</span></td>'

    return (
        "<table><tr><th></th><th>called hateful</th><th>called not hateful</th></tr>"
        f"<tr><th>is hateful</th>{cell(True, True)}{cell(True, False)}</tr>"
        f"<tr><th>is not hateful</th>{cell(False, True)}{cell(False, False)}</tr></table>"
    )


def _tabulate_sources(by_source: dict[str, Figures]) -> str:
    rows = "".join(
        f'<tr><td>{escape(source)}</td><td class="n">{of["n"]:,}</td>'
        + "".join(f'<td class="n">{_format_figure(f)}</td>' for f in (of["f1"], of["precision"], of["recall"], of["roc_auc"]))
        + "</tr>"
        for source, of in by_source.items()
    )
    head = "<th>source</th><th>tweets</th><th>F1</th><th>precision</th><th>recall</th><th>ROC AUC</th>"
    return f"<table><tr>{head}</tr>{rows}</table>"


def _list_target_errors(by_target: dict[str, TargetErrors]) -> str:
    if not by_target:
        return ""

    def cells(count: int, errors: int) -> str:
        share = f"{errors:,} ({errors / count:.0%})" if count else "-"
        return f'<td class="n">{count:,}</td><td class="n">{share}</td>'

    rows = "".join(
        f"<tr><td>{escape(target)}</td>{cells(of['hateful'], of['missed'])}{cells(of['harmless'], of['flagged'])}</tr>"
        for target, of in by_target.items()
    )
    head = "<th>group</th><th>hateful texts</th><th>missed</th><th>harmless texts</th><th>called hateful</th>"
    return _section("Errors by the group that a text is about", f"<table><tr>{head}</tr>{rows}</table>", _ABOUT_TARGETS)


def _list_mistakes(candidate: Candidate, labels: Bools, flagged: Bools) -> str:
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
    note = "Texts as people posted them, hate speech included. Click to read. In some the label is wrong, not the model."
    return _section("The most confident mistakes", "".join(lists), note)
