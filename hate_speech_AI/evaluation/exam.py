"""The texts on which the gate compares a candidate with its rivals, and what each model answers to them."""

from collections.abc import Collection, Container
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Bools, Floats, Places
from ..engines.base import Engine, OutOfFold
from ..engines.evaluation_set import EvaluationSet
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..manifest import Figures
from ..text import fingerprint
from ..training.rows import Row, Split, is_review, list_values
from .functional_checks import read_functional_checks, select_group, summarise_checks
from .metrics import measure, measure_f1
from .own_reviews import JudgedReviews

# What the gate compares: a kind of condition and its subject.
Subject = tuple[str, str]
# Fewer reviews on the held-out side do not decide there.
_FEWEST_HELD_OUT = 20


@dataclass(frozen=True)
class Answers:
    """What a model answers in an exam, without reviews.

    Attributes
    ----------
    name : str
        The name of the version; "" for a candidate.
    threshold : float
    probabilities : dict of str to ndarray of float64
        By part of the exam: "held_out", "shipped", "checks" and "reviews".
    """

    name: str
    threshold: float
    probabilities: dict[str, Floats]

    def flags(self, part: str) -> Bools:
        """Return which texts of a part the model flags."""
        flags: Bools = self.probabilities[part] >= self.threshold
        return flags


@dataclass(frozen=True)
class Exam:
    """The texts that decide. Every model answers all of them once.

    Attributes
    ----------
    texts : dict of str to list of str
        "held_out": the held-out rows. "checks": the functional checks. "reviews": reviews on the side of training.
    truth : dict of str to ndarray of bool
        The true labels by part; also of "shipped". The held-out rows have the labels that they had when the active version was
        trained, and where they had none, those they have now.
    evaluation : EvaluationSet, optional
        The test split of the evaluation set that ships with the engine: part "shipped".
    places : dict of str to ndarray of int
        By part which texts decide. Where some held-out rows are reviews, the others are "imported", so that few reviews count
        beside many of those. "newer" are the places of the held-out rows with new or changed labels. They do not decide. "own"
        are all reviews of "reviews" that may show what was gained.
    newer : ndarray of bool
        The labels that the held-out rows have now.
    digests : dict of str to list of str
        The fingerprints of the texts of "held_out" and "reviews".
    """

    texts: dict[str, list[str]]
    truth: dict[str, Bools]
    evaluation: EvaluationSet | None
    places: dict[str, Places]
    newer: Bools
    digests: dict[str, list[str]]

    @classmethod
    def prepare(
        cls,
        split: Split,
        evaluation: EvaluationSet | None,
        frozen: LabelIndex | None,
        withdrawn: Collection[tuple[str, bool]] = (),
        known: LabelIndex | None = None,
    ) -> "Exam":
        """Prepare the exam of a training.

        `frozen` are the held-out labels as they stood when the active version was trained; without them no held-out row decides.
        `known` are the reviews that it has learned; without them all reviews decide. `withdrawn` labels do not decide.
        """
        held_out, reviews, checks = split.list_side("held_out"), split.training_reviews, read_functional_checks()
        labels, deciding, newer = _freeze(held_out, frozen, withdrawn)
        truth = {
            "held_out": labels,
            "checks": np.array([check.label for check in checks], bool),
            "reviews": list_values(reviews),
        }
        places = {part: np.arange(len(values)) for part, values in truth.items()}
        del places["held_out"]
        places |= _separate_imports(deciding, held_out) | {"newer": newer, "own": places["reviews"]}
        test = evaluation.select_split("test") if evaluation is not None else None
        if test is not None:
            truth["shipped"] = test.truth()
            places["shipped"] = np.arange(len(test.keys))
        texts = {
            "held_out": [row.text for row in held_out],
            "checks": [check.text for check in checks],
            "reviews": [row.text for row in reviews],
        }
        digests = {part: [fingerprint(text) for text in texts[part]] for part in ("held_out", "reviews")}
        if known is not None:
            is_known = [known.get(key) == row.value for key, row in zip(digests["reviews"], reviews, strict=True)]
            places["reviews"] = np.flatnonzero(is_known)
        return cls(texts, truth, test, places, list_values(held_out), digests)

    def without(self, digests: Container[str]) -> "Exam":
        """Return the exam in which the labels of these texts do not decide. The answers to this exam fit that one too."""
        places = dict(self.places)
        for part, decide in self.places.items():
            if (own := self.digests.get(find_texts(part))) is not None:
                places[part] = np.array([at for at in decide.tolist() if own[at] not in digests], np.intp)
        return replace(self, places=places)

    def answer(self, name: str, engine: Engine, threshold: float) -> Answers:
        """Return what an engine answers."""
        probabilities = {part: engine.predict_proba(texts) for part, texts in self.texts.items()}
        if self.evaluation is not None:
            probabilities["shipped"] = engine.judge_evaluation_set(self.evaluation)[PRIMARY]
        return Answers(name, threshold, probabilities)

    def is_right(self, answers: Answers, part: str) -> Bools:
        """Return which texts of a part are answered rightly, whether they decide or not."""
        is_right: Bools = answers.flags(part) == self.truth[part]
        return is_right

    def judge_own_reviews(self, out_of_fold: OutOfFold, anchor: Answers) -> JudgedReviews:
        """Return the reviews as a candidate judges them out of fold, and as the anchor does."""
        at_of = {digest: at for at, digest in enumerate(out_of_fold.digests)}
        own = [at for at in self.places["own"].tolist() if self.digests["reviews"][at] in at_of]
        theirs = [at_of[self.digests["reviews"][at]] for at in own]
        places = np.array(own, np.intp)
        return JudgedReviews(
            self.truth["reviews"][places],
            out_of_fold.probabilities[theirs],
            anchor.probabilities["reviews"][places],
            out_of_fold.copies[theirs],
            np.isin(places, self.places["reviews"]),
        )

    def find_lost(self, subject: Subject, mine: Answers, rival: Answers) -> tuple[str, Places]:
        """Return the part and the places of a condition's texts that the rival answers rightly and the candidate wrongly."""
        kind, name = subject
        part = {"f1": name, "roc_auc": name, "reviews": "reviews"}.get(kind, "checks")
        texts = find_texts(part)
        is_lost = self.is_right(rival, texts) & ~self.is_right(mine, texts)
        at = np.flatnonzero(select_group(name)) if part == "checks" else self.places[part]
        return texts, at[is_lost[at]]

    def compute_figures(self, answers: Answers) -> dict[Subject, float]:
        """Return the figures that the gate compares, in the order in which it lists them."""
        figures: dict[Subject, float] = {}
        for part in ("held_out", "imported", "shipped"):
            if part in self.places:
                figures["f1", part] = measure_f1(*self.flag(answers, part))
        if "shipped" in self.places:
            figures["roc_auc", "shipped"] = self.measure_part(answers, "shipped")["roc_auc"] or 0.0
        checks = summarise_checks(self.is_right(answers, "checks"))
        figures |= {("functional_group", group): share for group, share in checks["groups"].items()}
        figures["false_positive_gap", ""] = checks["false_positive_gap"]
        if len(self.places["reviews"]):
            figures["reviews", ""] = float(self.is_right(answers, "reviews")[self.places["reviews"]].mean())
        return figures

    def flag(self, answers: Answers, part: str) -> tuple[Bools, Bools]:
        """Return the true labels of the texts that decide in a part, and which of them a model flags."""
        at, texts = self.places[part], find_texts(part)
        return self.truth[texts][at], answers.flags(texts)[at]

    def measure_part(self, answers: Answers, part: str) -> Figures:
        """Return the figures of a model on a part, or on the newer labels of the held-out rows ("newer")."""
        at, texts = self.places[part], find_texts(part)
        truth = self.newer if part == "newer" else self.truth[texts]
        return measure(truth[at], answers.probabilities[texts][at], answers.threshold)


def find_texts(part: str) -> str:
    """Return the part whose texts a part is taken from."""
    return {"imported": "held_out", "newer": "held_out", "own": "reviews"}.get(part, part)


def _separate_imports(deciding: Places, rows: list[Row]) -> dict[str, Places]:
    """Return which held-out rows decide, by part: the reviews, if they are enough, and the others."""
    reviewed = np.array([is_review(row.source) for row in rows], bool)
    if reviewed.all() or not reviewed.any():
        return {"held_out": deciding}
    own, imported = deciding[reviewed[deciding]], deciding[~reviewed[deciding]]
    return {"imported": imported} | ({"held_out": own} if len(own) >= _FEWEST_HELD_OUT else {})


def _freeze(rows: list[Row], frozen: LabelIndex | None, withdrawn: Collection[tuple[str, bool]]) -> tuple[Bools, Places, Places]:
    """Return the labels of held-out rows as they stood; the places of those that decide; and of those with newer labels."""
    digests = [fingerprint(row.text) for row in rows]
    before = [frozen.get(digest) if frozen is not None else None for digest in digests]
    labels = [row.value if label is None else label for row, label in zip(rows, before, strict=True)]
    deciding = [label is not None and (digest, label) not in withdrawn for digest, label in zip(digests, before, strict=True)]
    newer = [label != row.value for row, label in zip(rows, before, strict=True)]
    return np.array(labels, bool), np.flatnonzero(deciding), np.flatnonzero(newer)
