"""The promotion gate: whether a candidate may take the active version's place.

Candidate and rivals are scored side by side, by their models alone, on the same rows: the held-out rows with the labels that
they had when the active version was trained. Labels that came since, wrong ones too, do not judge yet. They are shown as a slice
of their own, and judge from the next version on.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from ..engines.base import Engine
from ..engines.evaluation_set import EvaluationSet
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..text import fingerprint
from ..training.candidate import Candidate
from ..training.rows import Row, list_values
from .functional_checks import answer_checks, estimate_check_intervals, summarise_checks
from .intervals import compare_f1
from .metrics import measure, measure_f1

_EPSILON = 1e-9  # a loss of exactly the limit passes, however it was rounded


@dataclass(frozen=True, slots=True)
class Limits:
    """How much worse a candidate may be, in shares of 1."""

    f1_loss: float = 0.005
    group_loss: float = 0.04
    gap_growth: float = 0.04
    review_loss: float = 0.02


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Rival:
    """A version that the candidate is compared with."""

    name: str
    engine: Engine
    manifest: dict

    @property
    def threshold(self) -> float:
        return self.manifest["threshold"]

    def flag(self, texts: list[str]) -> np.ndarray:
        """Return what the model alone says of each text: bool, shape (len(texts),)."""
        return self.engine.predict_proba(texts) >= self.threshold


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of the gate.

    Attributes
    ----------
    kind : str
        "f1", "functional_group", "false_positive_gap" or "reviews".
    subject : str
        The slice or the group; "" where the kind says all.
    candidate, rival : float
        Both figures.
    rival_version : str
    limit : float
        How much worse the candidate may be.
    interval : tuple of float, optional
        Bootstrap 95 % interval of candidate less rival, for all but reviews. A loss counts only if it is beyond chance.
    passed : bool
    """

    kind: str
    subject: str
    candidate: float
    rival: float
    rival_version: str
    limit: float
    interval: tuple[float, float] | None
    passed: bool

    def __str__(self):
        what = {
            "f1": f"F1 on the slice {self.subject}",
            "functional_group": f"Functional checks {self.subject}, share right",
            "false_positive_gap": "Gap between the identity groups' false-positive rates",
            "reviews": "Training-side reviews answered as reviewed",
        }[self.kind]
        said = f"{what}: {self.candidate:.3f} against {self.rival:.3f} of {self.rival_version}"
        if self.interval is None:
            return said
        return f"{said}; the difference lies between {self.interval[0]:+.3f} and {self.interval[1]:+.3f}"


def judge(
    candidate: Candidate,
    active: Rival | None,
    held_out: LabelIndex | None,
    *,
    others: Iterable[Rival] = (),
    limits: Limits = DEFAULT_LIMITS,
    withdrawn: Collection[tuple[str, bool]] = (),
) -> dict:
    """Compare a candidate with the active version and with the best of the versions before it.

    Parameters
    ----------
    active : Rival, optional
        `None` if nothing is active, or nothing that can be read: the candidate passes without a rival.
    held_out : LabelIndex, optional
        The held-out rows as they stood when `active` was trained.
    others : iterable of Rival
        Versions that were active lately. Of an iterator, one at a time is held in memory, and the best.
    withdrawn : collection of (fingerprint, label)
        Labels that were taken out since; they do not judge.

    Returns
    -------
    dict
        "passed"; "conditions", each as a dict of `Condition`; "reasons", the failed conditions in words; "rival", the active
        version's name, or `None`; "slices", the figures of both on "held_out", on "shipped", the evaluation set that ships with
        the engine, and on "newer", the held-out rows that came or changed since.
    """
    if active is None or candidate.engine.is_placeholder(active.manifest, candidate.manifest):
        return _conclude(None, [], {"held_out": {"candidate": _measure_rows(candidate, range(len(candidate.held_out)))}})
    frozen, newer = _find_slices(candidate.held_out, held_out, withdrawn)
    slices, conditions = _compare_held_out(candidate, active, others, frozen, limits)
    shipped, more = _compare_evaluation_set(candidate, active, limits)
    conditions += [*more, *_compare_checks(candidate, active, limits), *_compare_reviews(candidate, active, limits)]
    return _conclude(active.name, conditions, slices | shipped | _measure_newer(candidate, active, newer))


def _conclude(rival: str | None, conditions: list[Condition], slices: dict) -> dict:
    failed = [condition for condition in conditions if not condition.passed]
    return {
        "passed": not failed,
        "rival": rival,
        "conditions": [asdict(condition) for condition in conditions],
        "reasons": [str(condition) for condition in failed],
        "slices": slices,
    }


def _find_slices(rows: list[Row], held_out: LabelIndex | None, withdrawn: Collection[tuple[str, bool]]):
    """Return (place, row as it stood) of the rows that judge, and the places of those that are new or changed."""
    frozen, newer = [], []
    for at, row in enumerate(rows):
        digest = fingerprint(row.text)
        label = held_out.get(digest) if held_out is not None else None
        if label != row.value:
            newer.append(at)
        if label is not None and (digest, label) not in withdrawn:
            frozen.append((at, row._replace(value=label)))
    return frozen, newer


def _compare_held_out(
    candidate: Candidate, active: Rival, others: Iterable[Rival], frozen: list[tuple[int, Row]], limits: Limits
) -> tuple[dict, list[Condition]]:
    """Compare F1 on the held-out rows with the active version's and with that of the best of the others."""
    places, rows = [at for at, _ in frozen], [row for _, row in frozen]
    texts, labels = [row.text for row in rows], list_values(rows)
    flags = candidate.probabilities[places] >= candidate.manifest["threshold"]
    probabilities = active.engine.predict_proba(texts)
    conditions = [_compare_slice("held_out", labels, flags, active, probabilities >= active.threshold, limits)]
    best, best_flags = _find_best(others, texts, labels)
    if best is not None:
        conditions.append(_compare_slice("held_out", labels, flags, best, best_flags, limits))
    figures = {
        "candidate": _measure_rows(candidate, places, labels),
        "rival": measure(labels, probabilities, active.threshold),
    }
    return {"held_out": figures}, conditions


def _compare_evaluation_set(candidate: Candidate, active: Rival, limits: Limits) -> tuple[dict, list[Condition]]:
    """Compare F1 on the evaluation set that ships with the engine, if one does."""
    if candidate.evaluation is None:
        return {}, []
    test: EvaluationSet = candidate.evaluation.select_split("test")
    labels = test.truth()
    mine, theirs = (one.engine.judge_evaluation_set(test)[PRIMARY] for one in (candidate, active))
    threshold = candidate.manifest["threshold"]
    condition = _compare_slice("shipped", labels, mine >= threshold, active, theirs >= active.threshold, limits)
    figures = {"candidate": measure(labels, mine, threshold), "rival": measure(labels, theirs, active.threshold)}
    return {"shipped": figures}, [condition]


def _compare_slice(
    subject: str, labels: np.ndarray, flags: np.ndarray, rival: Rival, rival_flags: np.ndarray, limits: Limits
) -> Condition:
    f1, other, interval = compare_f1(labels, flags, rival_flags)
    is_worse = other - f1 > limits.f1_loss + _EPSILON and interval[1] < 0
    return Condition("f1", subject, f1, other, rival.name, limits.f1_loss, interval, not is_worse)


def _find_best(others: Iterable[Rival], texts: list[str], labels: np.ndarray):
    """Return the rival with the highest F1 on these texts and what it says of them; `None` twice if there is none."""
    best, best_flags, best_f1 = None, None, -1.0
    for rival in others:
        flags = rival.flag(texts)
        f1 = measure_f1(labels, flags)
        if f1 > best_f1:
            best, best_flags, best_f1 = rival, flags, f1
    return best, best_flags


def _compare_checks(candidate: Candidate, active: Rival, limits: Limits) -> list[Condition]:
    # Both now, not from the manifest: cases may have been added since the active version was trained.
    rights = [answer_checks(one.engine, one.manifest["threshold"]) for one in (candidate, active)]
    mine, theirs = map(summarise_checks, rights)
    intervals, gap_interval = estimate_check_intervals(*rights)
    conditions = []
    for group, share in theirs["groups"].items():
        is_worse = share - mine["groups"][group] > limits.group_loss + _EPSILON and intervals[group][1] < 0
        figures = (mine["groups"][group], share, active.name, limits.group_loss)
        conditions.append(Condition("functional_group", group, *figures, intervals[group], not is_worse))
    gap, gap_before = mine["false_positive_gap"], theirs["false_positive_gap"]
    is_wider = gap - gap_before > limits.gap_growth + _EPSILON and gap_interval[0] > 0
    figures = (gap, gap_before, active.name, limits.gap_growth)
    return [*conditions, Condition("false_positive_gap", "", *figures, gap_interval, not is_wider)]


def _compare_reviews(candidate: Candidate, active: Rival, limits: Limits) -> list[Condition]:
    """Compare the share of training-side reviews that each answers as reviewed, if there are any."""
    reviews = candidate.training_reviews
    if not reviews:
        return []
    texts, said = [row.text for row in reviews], list_values(reviews)
    mine = candidate.engine.predict_proba(texts) >= candidate.manifest["threshold"]
    shares = float((mine == said).mean()), float((active.flag(texts) == said).mean())
    is_worse = shares[1] - shares[0] > limits.review_loss + _EPSILON
    return [Condition("reviews", "", *shares, active.name, limits.review_loss, None, not is_worse)]


def _measure_newer(candidate: Candidate, active: Rival, places: list[int]) -> dict:
    """Return the figures of both on the held-out rows that came or changed since, if there are any."""
    if not places:
        return {}
    rows = [candidate.held_out[at] for at in places]
    probabilities = active.engine.predict_proba([row.text for row in rows])
    theirs = measure(list_values(rows), probabilities, active.threshold)
    return {"newer": {"candidate": _measure_rows(candidate, places), "rival": theirs}}


def _measure_rows(candidate: Candidate, places: Iterable[int], labels: np.ndarray | None = None) -> dict:
    places = list(places)
    if labels is None:
        labels = list_values([candidate.held_out[at] for at in places])
    return measure(labels, candidate.probabilities[places], candidate.manifest["threshold"])
