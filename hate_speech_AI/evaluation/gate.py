"""The promotion gate: whether a candidate may take the active version's place.

Candidate and rivals are scored side by side, by their models alone, on the same rows: the held-out rows with the labels that
they had when the active version was trained. So labels that came since, wrong ones too, cannot judge yet; they are shown as
a slice of their own, and judge from the next version on.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from ..engines.base import Engine
from ..engines.linear import LinearEngine
from ..label_index import LabelIndex
from ..text import fingerprint
from ..training.candidate import Candidate
from ..training.rows import STARTER, Row, is_review, labels_of
from .functional_checks import answer_checks, check_intervals, summarise_checks
from .intervals import f1_difference
from .metrics import f1_of, measure

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

    def flags(self, texts: list[str]) -> np.ndarray:
        """Return what the model alone says of each text: bool, shape (len(texts),)."""
        return self.engine.predict_proba(texts) >= self.manifest["threshold"]


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
        `None` where nothing is active, or nothing that can be read: the candidate passes by having no rival.
    held_out : LabelIndex, optional
        The held-out rows as they stood when `active` was trained.
    others : iterable of Rival
        Versions that were active lately; of an iterator one at a time is held in memory, and the best.
    withdrawn : collection of (fingerprint, label)
        Labels that were taken out since; they do not judge.

    Returns
    -------
    dict
        "passed"; "conditions", each as a dict of `Condition`; "reasons", the failed ones in words; "slices", the figures of both
        on "held_out", on "newer", the held-out rows that came or changed since, and on "shipped", the evaluation set that comes
        with engine encoder; "rival", the active version's name, or `None`.
    """
    if active is not None and is_placeholder(active.manifest, candidate.manifest):
        active = None
    if active is None:
        held = _figures(candidate, range(len(candidate.held_out)))
        return {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {"held_out": {"candidate": held}}}

    frozen, newer = _slices(candidate.held_out, held_out, withdrawn)
    rows = [row for _, row in frozen]
    texts, labels = [row.text for row in rows], labels_of(rows)
    flagged = candidate.probabilities[[at for at, _ in frozen]] >= candidate.manifest["threshold"]
    conditions = []

    def compare_f1(rival: Rival, rival_flags: np.ndarray, subject="held_out", truth=labels, mine=flagged) -> None:
        f1, other, interval = f1_difference(truth, mine, rival_flags)
        is_worse = other - f1 > limits.f1_loss + _EPSILON and interval[1] < 0
        conditions.append(Condition("f1", subject, f1, other, rival.name, limits.f1_loss, interval, not is_worse))

    active_probabilities = active.engine.predict_proba(texts)
    compare_f1(active, active_probabilities >= active.manifest["threshold"])
    best, best_flags = _best(others, texts, labels)
    if best is not None:
        compare_f1(best, best_flags)
    shipped_slice = {}
    if candidate.shipped is not None:
        test = candidate.shipped.part("test")
        both = [(one, one.engine.judge_embeddings(test.vectors).hate) for one in (candidate, active)]
        flags = [probabilities >= one.manifest["threshold"] for one, probabilities in both]
        compare_f1(active, flags[1], "shipped", test.hate, flags[0])
        shipped_slice["shipped"] = {
            name: measure(test.hate, probabilities, one.manifest["threshold"])
            for name, (one, probabilities) in zip(("candidate", "rival"), both, strict=True)
        }

    conditions += _compare_checks(candidate, active, limits)
    if reviews := candidate.training_reviews:
        said = labels_of(reviews)
        texts = [row.text for row in reviews]
        mine = candidate.engine.predict_proba(texts) >= candidate.manifest["threshold"]
        shares = float((mine == said).mean()), float((active.flags(texts) == said).mean())
        is_worse = shares[1] - shares[0] > limits.review_loss + _EPSILON
        conditions.append(Condition("reviews", "", *shares, active.name, limits.review_loss, None, not is_worse))

    failed = [condition for condition in conditions if not condition.passed]
    slices = {
        "held_out": {
            "candidate": _figures(candidate, [at for at, _ in frozen], labels),
            "rival": measure(labels, active_probabilities, active.manifest["threshold"]),
        },
        **shipped_slice,
    }
    if newer:
        rows = [candidate.held_out[at] for at in newer]
        newer_probabilities = active.engine.predict_proba([row.text for row in rows])
        slices["newer"] = {
            "candidate": _figures(candidate, newer),
            "rival": measure(labels_of(rows), newer_probabilities, active.manifest["threshold"]),
        }
    return {
        "passed": not failed,
        "rival": active.name,
        "conditions": [asdict(condition) for condition in conditions],
        "reasons": [str(condition) for condition in failed],
        "slices": slices,
    }


def is_placeholder(active: dict, candidate: dict) -> bool:
    """Return whether the active version learned mostly from the starter tweets and the candidate from an operator's data.

    The starter tweets show that engine linear works. What they teach it is no standard that real data should have to meet;
    reviews, which anybody may post, do not lift the gate.
    """
    if active["engine"] != LinearEngine.name:
        return False  # what the encoder ships is a standard
    before = active["rows"]["by_source"]
    is_of_starters = 2 * before.get(STARTER, 0) >= sum(before.values())
    new = set(candidate["rows"]["by_source"]) - {STARTER} - set(before)
    return is_of_starters and not all(map(is_review, new))


def _slices(rows: list[Row], held_out: LabelIndex | None, withdrawn: Collection[tuple[str, bool]]):
    """Return (place, row as it stood) of the rows that judge, and the places of those that are new or changed."""
    frozen, newer = [], []
    for at, row in enumerate(rows):
        digest = fingerprint(row.text)
        label = held_out.get(digest) if held_out is not None else None
        if label != row.is_hate_speech:
            newer.append(at)
        if label is not None and (digest, label) not in withdrawn:
            frozen.append((at, row._replace(is_hate_speech=label)))
    return frozen, newer


def _best(others: Iterable[Rival], texts: list[str], labels: np.ndarray):
    """Return the rival with the highest F1 on these texts and what it says of them; `None` twice where there is none."""
    best, best_flags, best_f1 = None, None, -1.0
    for rival in others:
        flags = rival.flags(texts)
        f1 = f1_of(labels, flags)
        if f1 > best_f1:
            best, best_flags, best_f1 = rival, flags, f1
    return best, best_flags


def _compare_checks(candidate: Candidate, active: Rival, limits: Limits) -> list[Condition]:
    # Both now, not from the manifest: cases may have been added since the active version was trained.
    rights = [answer_checks(one.engine, one.manifest["threshold"]) for one in (candidate, active)]
    mine, theirs = map(summarise_checks, rights)
    intervals, gap_interval = check_intervals(*rights)
    conditions = []
    for group, share in theirs["groups"].items():
        is_worse = share - mine["groups"][group] > limits.group_loss + _EPSILON and intervals[group][1] < 0
        figures = (mine["groups"][group], share, active.name, limits.group_loss)
        conditions.append(Condition("functional_group", group, *figures, intervals[group], not is_worse))
    gap, gap_before = mine["false_positive_gap"], theirs["false_positive_gap"]
    is_wider = gap - gap_before > limits.gap_growth + _EPSILON and gap_interval[0] > 0
    figures = (gap, gap_before, active.name, limits.gap_growth)
    return [*conditions, Condition("false_positive_gap", "", *figures, gap_interval, not is_wider)]


def _figures(candidate: Candidate, places, labels: np.ndarray | None = None) -> dict:
    places = list(places)
    if labels is None:
        labels = labels_of([candidate.held_out[at] for at in places])
    return measure(labels, candidate.probabilities[places], candidate.manifest["threshold"])
