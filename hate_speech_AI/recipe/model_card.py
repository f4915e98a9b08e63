"""Render the model card: a fixed text with the figures of a run of the recipe."""

from collections import Counter
from collections.abc import Mapping

from ..labels import MEANINGS, TARGETS
from .grammar import SOURCE as MADE

_REMEMBERED = "as remembered"
_ABOUT = {
    "cad": (f"CC BY 4.0 ({_REMEMBERED})", "Vidgen et al. 2021, Introducing CAD: the Contextual Abuse Dataset"),
    "context_toxicity": (
        "Apache-2.0 (repository); the texts are Wikipedia's, CC BY-SA",
        "Pavlopoulos et al. 2020, Toxicity Detection: Does Context Really Matter?",
    ),
    "davidson": ("MIT", "Davidson et al. 2017, Automated Hate Speech Detection and the Problem of Offensive Language"),
    "dynahate": (
        "none stated upstream; widely redistributed for research as CC BY 4.0",
        "Vidgen et al. 2021, Learning from the Worst; v0.2.3, with its official split, and what v0.1 has besides",
    ),
    "edos": ("CC0 1.0", "Kirk et al. 2023, SemEval-2023 Task 10: Explainable Detection of Online Sexism"),
    "gab": (f"CC BY 4.0 ({_REMEMBERED})", "Kennedy et al. 2022, Introducing the Gab Hate Corpus"),
    "hatemoji_build": ("CC BY 4.0", "Kirk et al. 2022, Hatemoji"),
    "hatexplain": ("MIT", "Mathew et al. 2021, HateXplain"),
    "implicit_hate": (
        "MIT (repository)",
        "ElSherief et al. 2021, Latent Hatred: A Benchmark for Understanding Implicit Hate Speech",
    ),
    "stormfront": ("CC BY-SA 3.0 ES", "de Gibert et al. 2018, Hate Speech Dataset from a White Supremacy Forum"),
    "toxic_spans": ("CC0", "Pavlopoulos et al. 2021, SemEval-2021 Task 5: Toxic Spans Detection; texts of Civil Comments"),
    "toxigen": ("MIT", "Hartvigsen et al. 2022, ToxiGen; rows that people have judged"),
    "wiegand": ("CC BY 4.0", "Wiegand et al. 2022, Identifying Implicitly Abusive Remarks about Identity Groups"),
}
_TAUGHT = (
    "It also learned from what larger encoders say of the same rows and of texts made up of them: teachers, each"
    " `sentence-transformers/all-mpnet-base-v2` (Apache-2.0) fine-tuned anew, which are not shipped."
)
_NOT_TAUGHT = "No larger encoder taught it."
_CLEAN = """\
It also learned from {made:,} sentences of a grammar written for this project, `hate_speech_AI/recipe/grammar/`.

Two sets are left out of everything, `stormfront` (de Gibert et al. 2018, CC BY-SA 3.0 ES) and `measuring_hate_speech` (Kennedy et al.
2020, CC BY 4.0). Texts that equal a text of any test split, or are near copies of one, were not learned from."""
_HEADS = """\
The encoder learned from dynahate's v0.1 alone. The head of `hate` was fitted to held-back rows of these sources. That of `toxic` was
fitted later, to rows of more sources, which the encoder has not seen:

| source | rows | licence as its repository states it | citation |
|---|---|---|---|
{sources}

`grammar` are sentences of a grammar written for this project, `hate_speech_AI/recipe/grammar/`."""
_CARD = """\
# Model card: the shipped encoder and head

A sentence encoder of {parameters:.1f} million parameters, fine-tuned to tell hate speech, with a logistic head for each of its labels.
Those of `hate` and `toxic` are Bayesian and learn from reviews. {megabytes:.0f} MB, int8, for a CPU.

| label | meaning |
|---|---|
{labels}
{targets}
Made by `hate_speech_AI/recipe/` (`make encoder`); `run_log.json` beside this file holds settings, the data's checksums and the
figures after every part. This card is written by the recipe.

## What it is for

Flagging short English posts for people who moderate, and counting hate in collections of posts. It is meant to be corrected: what
moderators review updates the head every night.

## What it must not be used for

- To decide alone about people: no ban, report, dismissal or prosecution without a person who has read the post.
- To judge who somebody is, what they believe or what they will do.
- To find or list people who belong to a group, because posts name the group.
- In other languages than English. It gives numbers there too, and they mean nothing.
- On texts far from posts: books, court files, historical sources.

## What it learned from

| source | rows learned from | licence as its repository states it | citation |
|---|---|---|---|
{sources}

{besides}

Nothing of the texts is in the files: `seen.npy` and `evaluation.npz` hold 64 bits of each text's fingerprint, and embeddings. About one
row in nine was kept from the encoder's fine-tuning; the head was fitted on those. The base model is
`sentence-transformers/all-MiniLM-L6-v2` (Apache-2.0). {teachers} Published functional suites (HateCheck, HatemojiCheck and
the like) were used in no step.

What the sets call hate differs, and their annotators were mostly from the United States and the United Kingdom. In fine-tuning dynahate
and hatemoji_build count most; their definition is the one above.

## How good it is

On the test splits, none of which was learned from, at the shipped threshold {threshold:.3f}:

| source | texts | of them hate | macro-F1 | F1 of hate | ROC AUC |
|---|---|---|---|---|---|
{figures}

| what | |
|---|---|
{others}
| expected calibration error, frozen evaluation set | {calibration_error:.3f} |
| labels in which int8 differs from float32 | {differs:.2%} |
| of caught hate, share still caught when disguised by misspelling | {disguised:.3f} |
| gap of false positives between identity groups, over all harmless functional checks | {gap:.3f} |

## Where it fails

{weakest}

Those are the functional checks written for this project (`hate_speech_AI/data/`) that it answers worst. Beyond them: irony, dog
whistles newer than its data, hate that only context shows, reclaimed words, and posts whose meaning is in a picture.
"""


def render_card(manifest: dict, parameters: int, size: int, log: dict) -> str:
    """Return the model card as Markdown.

    Parameters
    ----------
    manifest : dict
        The shipped manifest, with its figures.
    parameters : int
        The number of parameters of the encoder.
    size : int
        The size of the encoder's file in bytes.
    log : dict
        The run log.
    """
    figures = manifest["figures"]
    known = {*manifest["labels"], *manifest["other_labels"]}
    targets = [group for group in TARGETS if group in known]
    learned = Counter[str]()
    for name, (rows, _) in log["rows"].items():
        source, split = name.split()
        learned[source] += rows if split != "test" else 0
    is_taught = any(one["teachers"] for one in log["rounds"])
    besides = _HEADS.format(sources=_list_sources(log["heads"]["rows"])) if "heads" in log else _CLEAN.format(made=learned[MADE])

    by_source = (
        f"| {source} | {said['n']:,} | {said['hateful']:,} | {said['macro_f1']:.3f} | {said['f1']:.3f} | {_number(said['roc_auc'])} |"
        for source, said in figures["by_source"].items()
    )
    worst = sorted(manifest["checks"]["groups"].items(), key=lambda group: group[1])[:5]
    return _CARD.format(
        parameters=parameters / 1e6,
        megabytes=size / 1e6,
        threshold=manifest["threshold"],
        sources=_list_sources(learned),
        besides=besides,
        teachers=_TAUGHT if is_taught else _NOT_TAUGHT,
        figures="\n".join(by_source),
        labels="\n".join(f"| `{label}` | {meaning} |" for label, meaning in MEANINGS.items() if label in known),
        targets=f"\nOf hateful texts it says which groups they attack: {', '.join(targets)}.\n" if targets else "",
        others="\n".join(
            _describe_label(label, by_source)
            for label in (*list(MEANINGS)[1:], "targets")
            if (by_source := figures.get(f"{label}_roc_auc"))
        ),
        calibration_error=figures["calibration_error"],
        differs=figures["int8_differs_from_float32"],
        disguised=figures["disguised_still_caught"],
        gap=manifest["checks"]["false_positive_gap"],
        weakest="\n".join(f"- {name.replace('_', ' ')}: {share:.0%} right" for name, share in worst),
    )


def _list_sources(rows: Mapping[str, int]) -> str:
    about = {MADE: ("ours", "this project"), **_ABOUT}
    return "\n".join(
        f"| {source} | {rows[source]:,} | {licence} | {citation} |"
        for source, (licence, citation) in sorted(about.items())
        if rows.get(source)
    )


def _describe_label(label: str, by_source: dict[str, float]) -> str:
    return f"| `{label}`, ROC AUC, {' / '.join(by_source)} | {' / '.join(map(_number, by_source.values()))} |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
