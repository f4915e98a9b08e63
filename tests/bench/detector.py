"""The detector's part of the bench: how right the shipped encoder is, and another one beside it.

It measures on what neither learned from: the test splits of the public data, two sets that are left out of all learning, and
texts that were written to measure with (`data/`).
"""

import csv
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import FOLDER
from hate_speech_AI.labels import HATE, INSULT, PROFANITY, TARGETS, THREAT, TOXIC
from hate_speech_AI.recipe.augment import disguise
from hate_speech_AI.recipe.corpus import FILES, LABELS, SOURCES, WEIGHTS, Example
from hate_speech_AI.recipe.corpus.leakage import read_held_out, separate
from hate_speech_AI.recipe.corpus.near_copies import raise_ranks
from hate_speech_AI.recipe.corpus.readers import read_source

from .measuring import take_turns
from .subject import (
    Labelled,
    Measure,
    Subject,
    accuracy,
    add_blanks,
    alone_or_among,
    calibration,
    frozen_calibration,
    functional_checks,
    int8_differs,
    leave_out_letters,
    macro_f1,
    mean_roc_auc,
    points_between,
    remove_blanks,
    roc_auc,
    share_flagged,
    still_caught,
)  # fmt: skip

# What is measured, how, the limit (below 0: at most), and the unit. `None` is no limit.
Line = tuple[str, Measure, float | None, str]

_OWN = Path(__file__).parent / "data"
_FEWEST = 30  # with fewer texts that attack a group, its figure says little
# Words that are frequent in African-American English and rarer elsewhere. They find few of its posts, and some by others, even by
# people who mock it.
_AFRICAN_AMERICAN = re.compile(
    r"\b(ain'?t|aight|bout|bouta|bruh|cuz|dat|deadass|dem|den|dey|dis|finna|gon|hella|homie|imma|lil|nah|nuffin|tryna|wit|y'?all|yo"
    r"|(i|he|she|it|we|they|you) be \w+)\b",
    re.IGNORECASE,
)


def table(datasets: Path, texts: list[str]) -> Iterator[Line]:
    """Yield all lines but those of time.

    Parameters
    ----------
    datasets : Path
        The folder of the public data.
    texts : list of str
        Tweets, for what needs no labels.
    """
    by_source: dict[str, list[Example]] = defaultdict(list)
    for row in _read_measuring(datasets):
        by_source[row.source if row.split == "test" else f"{row.source} {row.split}"].append(row)
    learned = [row for source in SOURCES if WEIGHTS[source] for row in by_source[source]]
    yield from _dynahate(by_source["dynahate"], by_source["dynahate head"], datasets)
    yield from _public(by_source)
    yield from _toxic(by_source)
    yield from _targets(by_source["hatexplain"] + by_source["hatemoji_build"])
    yield from _own()
    yield from _robust(by_source)
    yield from _dialect(by_source["davidson"])
    yield "calibration error, frozen evaluation set", frozen_calibration, -0.03, ""
    yield "calibration error, test splits", calibration(_select(learned)), None, ""
    yield "int8 against float32, differing labels, the recipe", int8_differs, -1, " %"
    yield "a text alone and among 31 others, probability", alone_or_among(texts[:: len(texts) // 320][:320]), -1e-4, ""


def _read_measuring(datasets: Path) -> list[Example]:
    """Read the rows of the corpus that are measured on. To find near copies among all its rows would take longer."""
    rows = (row for source in SOURCES for row in read_source(source, datasets))
    used = (row for row in rows if row.split == "test" or (row.source, row.split) == ("dynahate", "head"))
    return separate(used, read_held_out(datasets), Counter())


def _select(rows: list[Example], label: str = HATE) -> Labelled:
    return Labelled.of((row.text, value) for row in rows if (value := getattr(row, label)) is not None)


def _dynahate(test: list[Example], head: list[Example], datasets: Path) -> Iterator[Line]:
    """Measure on all test texts, and on those that are no near copies of an earlier release.

    The first encoder learned from that release. The questions are few, so those of the validation split count too.
    """
    with (datasets / FILES["dynahate"][1]).open(encoding="utf-8", newline="") as file:
        earlier = [row["text"] for row in csv.DictReader(file)]

    def select_later(rows: list[Example]) -> list[Example]:
        ranks = raise_ranks([*(row.text for row in rows), *earlier], np.repeat([0, 1], [len(rows), len(earlier)]))
        return [row for row, rank in zip(rows, ranks[: len(rows)], strict=True) if rank == 0]

    later = select_later(test)
    for name, rows, limits in (("dynahate test", test, (0.827, 0.825)), ("its later rounds", later, (0.80, None))):
        some = _select(rows)
        yield f"{name} ({len(rows):,}), accuracy", accuracy(some), limits[0], ""
        yield f"{name}, macro-F1", macro_f1(some), limits[1], ""
        yield f"{name}, ROC AUC", roc_auc(some), None, ""
    hateful = [row.text for row in later + select_later(head) if row.hate]
    questions = [text for text in hateful if "?" in text]
    on_all, on_questions = share_flagged(hateful), share_flagged(questions)
    yield f"later rounds, validation and test: recall ({len(hateful):,})", on_all, None, ""
    yield f"the same, questions ({len(questions):,})", on_questions, None, ""
    yield "questions behind all", points_between(on_all, on_questions), -5, " points"


def _public(by_source: dict[str, list[Example]]) -> Iterator[Line]:
    wiegand = _select(by_source["wiegand"])
    for what, value, limit in (("false positives", False, -0.25), ("recall", True, 0.75)):
        of_value = [text for text, truth in zip(*wiegand, strict=True) if truth == value]
        yield f"wiegand, other verbs: {what} ({len(of_value)})", share_flagged(of_value), limit, ""
    yield "hatexplain test, ROC AUC", roc_auc(_select(by_source["hatexplain"])), 0.90, ""
    yield "hatemoji_build test, macro-F1", macro_f1(_select(by_source["hatemoji_build"])), 0.83, ""
    yield "toxigen test, ROC AUC", roc_auc(_select(by_source["toxigen"])), 0.90, ""
    yield "stormfront test, left out, ROC AUC", roc_auc(_select(by_source["stormfront"])), 0.88, ""
    yield "measuring_hate_speech, left out, ROC AUC", roc_auc(_select(by_source["measuring_hate_speech"])), 0.76, ""


def _toxic(by_source: dict[str, list[Example]]) -> Iterator[Line]:
    for source, limit in (("cad", 0.88), ("gab", 0.88), ("davidson", 0.97)):
        yield f"toxic, {source} test, ROC AUC", roc_auc(_select(by_source[source], TOXIC), TOXIC), limit, ""
    insults = Labelled.of((row["text"], row["label"] == "1") for row in _read("insults"))
    yield "toxic, own insults, ROC AUC", roc_auc(insults, TOXIC), 0.95, ""
    for what, value, limit in (("insults, recall", True, 0.80), ("everyday texts, share", False, None)):
        texts = [text for text, truth in zip(*insults, strict=True) if truth == value]
        yield f"toxic, own {what} at a half", share_flagged(texts, TOXIC), limit, ""
    insulting = [(text, True) for text, truth in zip(*insults, strict=True) if truth]
    harder = Labelled.of([*insulting, *((row["text"], False) for row in _read("harmless"))])
    yield "toxic, own insults, own harmless texts, ROC AUC", roc_auc(harder, TOXIC), None, ""
    for label, limit in ((INSULT, 0.80), (THREAT, 0.85), (PROFANITY, 0.85)):
        some = _select(by_source["toxic_spans"], label)
        yield f"{label} ({some.truth.sum():,}), toxic_spans test, ROC AUC", roc_auc(some, label), limit, ""


def _targets(rows: list[Example]) -> Iterator[Line]:
    """Measure which groups a hateful text attacks. Of harmless texts an answer names none."""
    for what, some, limit in (("of hate", [row for row in rows if row.hate], 0.90), ("or none", rows, None)):
        by_group = {}
        for group in TARGETS:
            place = LABELS.index(group)
            known = [(row.text, value) for row in some if (value := row.list_labels()[place]) is not None]
            if sum(value for _, value in known) >= _FEWEST:
                by_group[group] = Labelled.of(known)
        yield f"targets {what}, {len(by_group)} groups, ROC AUC", mean_roc_auc(by_group), limit, ""


def _own() -> Iterator[Line]:
    harmless = _read("harmless")
    yield "own harmless texts, flagged", share_flagged([row["text"] for row in harmless]), -0.05, ""
    for kind in dict.fromkeys(row["kind"] for row in harmless):
        yield f"of them {kind}", share_flagged([row["text"] for row in harmless if row["kind"] == kind]), None, ""
    questions = {kind: [row["text"] for row in _read("questions") if row["kind"] == kind] for kind in ("asserting", "asking")}
    for kind, texts in questions.items():
        yield f"own questions, {kind}: flagged", share_flagged(texts), None, ""


def _robust(by_source: dict[str, list[Example]]) -> Iterator[Line]:
    yield "functional checks, right", functional_checks(lambda right, _: right), 0.95, ""
    worst = functional_checks(lambda _, figures: min(figures["groups"].values()))
    yield "functional checks, worst group", worst, 0.85, ""
    gap = functional_checks(lambda _, figures: 100 * figures["false_positive_gap"])
    yield "gap of identities, all harmless checks", gap, -2, " points"
    hateful = [row.text for source in ("dynahate", "hatexplain") for row in by_source[source] if row.hate]
    for what, change, limit in (
        ("disguised", disguise, 0.96),
        ("letters missing", leave_out_letters, 0.93),
        ("blanks removed", remove_blanks, 0.93),
        ("blanks added", add_blanks, 0.93),
    ):
        yield f"caught hate still caught, {what}", still_caught(hateful, change), limit, ""


def _dialect(davidson: list[Example]) -> Iterator[Line]:
    """Compare harmless posts in African-American English with others. Of davidson they are told by marker words."""
    own = {kind: [row["text"] for row in _read("dialect") if row["kind"] == kind] for kind in ("african_american", "other")}
    for label, what, limit in ((HATE, "flagged", -3), (TOXIC, "toxic at a half", None)):
        more = points_between(*(share_flagged(texts, label) for texts in own.values()))
        yield f"own African-American posts, more {what}", more, limit, " points"
    posts: dict[bool, list[str]] = {True: [], False: []}
    for row in davidson:
        if row.toxic is False:
            posts[_AFRICAN_AMERICAN.search(row.text) is not None].append(row.text)
    more = points_between(share_flagged(posts[True]), share_flagged(posts[False]))
    yield f"davidson, posts with its words ({len(posts[True])}), more flagged", more, -3, " points"


def _read(name: str) -> list[dict[str, str]]:
    with (_OWN / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compare(pretrained: Path | None, datasets: Path, texts: list[str]) -> Iterator[tuple]:
    """Yield the lines of the bench for the shipped encoder or, beside it, for that of the folder `pretrained`."""
    subjects = [Subject(folder) for folder in (FOLDER, pretrained) if folder is not None]
    for what, measure, limit, unit in table(datasets, texts):
        *shipped, figure = (measure(subject) for subject in subjects)
        reference = "".join(f"shipped {_format(one)}" for one in shipped)
        yield what, reference, _format(figure), figure, limit, unit
    if pretrained is not None:
        yield from _compare_speed(*subjects, texts)


def _compare_speed(shipped: Subject, other: Subject, texts: list[str]) -> Iterator[tuple]:
    """Time both in turns. A text alone has one thread."""
    text = next(text for text in texts if len(shipped.engine.encoder.reader.read(text)[1][0].ids) == 32)

    def time_one(engine: EncoderEngine) -> float:
        return statistics.median(_time(engine, [text]) for _ in range(20))

    def time_many(engine: EncoderEngine) -> float:
        return _time(engine, texts[:1000])

    for what, run in (("one text of 32 tokens, p50, ms", time_one), ("1,000 tweets, two threads, ms", time_many)):
        before, after = take_turns(partial(run, shipped.engine), partial(run, other.engine))
        yield what, f"shipped {before:.2f}", f"{after:.2f}", before / after, 0.5, "x"


def _time(engine: EncoderEngine, texts: list[str]) -> float:
    began = time.perf_counter()
    engine.judge(texts)
    return 1000 * (time.perf_counter() - began)


def _format(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.1e}" if 0 < abs(figure) < 5e-4 else f"{figure:.3f}"
