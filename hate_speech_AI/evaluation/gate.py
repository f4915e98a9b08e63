"""The promotion gate: whether a candidate may take the active version's place.

It compares the candidate with its rivals on the same held-out rows, by their models alone, without reviews. The rows have the
labels that they had when the active version was trained. Newer labels, which may be wrong, do not decide yet. They are shown as a
slice of their own, and decide from the next version on.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from ..arrays import Bools
from ..engines.base import Engine
from ..label_index import LabelIndex
from ..labels import PRIMARY
from ..manifest import CandidateManifest, Figures, GateVerdict, SliceFigures
from ..text import fingerprint
from ..training.candidate import Candidate
from ..training.rows import Row, list_values
from .functional_checks import answer_checks, estimate_check_intervals, summarise_checks
from .intervals import compare_f1
from .metrics import measure, measure_f1

_EPSILON = 1e-9  # so that rounding cannot fail a loss of exactly the limit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much worse than a rival a candidate may be, as shares from 0 to 1."""

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
    manifest: CandidateManifest

    @property
    def threshold(self) -> float:
        return self.manifest["threshold"]

    def flag(self, texts: list[str]) -> Bools:
        """Return which texts the model flags, without reviews: shape (len(texts),)."""
        return self.engine.predict_proba(texts) >= self.threshold


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of the gate.

    Attributes
    ----------
    kind : str
        "f1", "functional_group", "false_positive_gap" or "reviews".
    subject : str
        The slice for "f1", the group for "functional_group", otherwise "".
    candidate, rival : float
        The figures of both.
    rival_version : str
        The name of the rival.
    limit : float
        How much worse the candidate may be.
    interval : tuple of float, optional
        Bootstrap 95 % interval of candidate less rival; `None` for reviews. A loss counts only if the interval excludes zero.
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

    def __str__(self) -> str:
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
) -> GateVerdict:
    """Compare a candidate with the active version and with the best of the versions before it.

    Parameters
    ----------
    active : Rival, optional
        `None` if no version is active, or if it cannot be loaded. Then the candidate passes without a rival.
    held_out : LabelIndex, optional
        The held-out labels as they stood when `active` was trained.
    others : iterable of Rival
        Versions that were active lately. From an iterator they are taken one at a time, so that at most two are in memory.
    withdrawn : collection of (fingerprint, value)
        Labels that were excluded since `active` was trained. They do not decide.

    Returns
    -------
    GateVerdict
        Its slices are "held_out"; "shipped", the evaluation set that ships with the engine; and "newer", the held-out rows whose
        labels are new or changed since `active` was trained.
    """
    if active is None or candidate.engine.is_placeholder(active.manifest, candidate.manifest):
        return _conclude(None, [], {"held_out": {"candidate": _measure_rows(candidate, range(len(candidate.held_out)))}})
    frozen, newer = _find_slices(candidate.held_out, held_out, withdrawn)
    slices, conditions = _compare_held_out(candidate, active, others, frozen, limits)
    shipped, more = _compare_evaluation_set(candidate, active, limits)
    conditions += [*more, *_compare_checks(candidate, active, limits), *_compare_reviews(candidate, active, limits)]
    return _conclude(active.name, conditions, slices | shipped | _measure_newer(candidate, active, newer))


def _conclude(rival: str | None, conditions: list[Condition], slices: dict[str, SliceFigures]) -> GateVerdict:
    failed = [condition for condition in conditions if not condition.passed]
    return {
        "passed": not failed,
        "rival": rival,
        "conditions": [asdict(condition) for condition in conditions],
        "reasons": [str(condition) for condition in failed],
        "slices": slices,
    }


def _find_slices(
    rows: list[Row], held_out: LabelIndex | None, withdrawn: Collection[tuple[str, bool]]
) -> tuple[list[tuple[int, Row]], list[int]]:
    """Return the rows that decide, each with its place and its label as it stood; and the places of new or changed labels."""
    frozen: list[tuple[int, Row]] = []
    newer: list[int] = []
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
) -> tuple[dict[str, SliceFigures], list[Condition]]:
    """Compare F1 on the held-out rows, with the active version and with the best of the others."""
    places, rows = [at for at, _ in frozen], [row for _, row in frozen]
    texts, labels = [row.text for row in rows], list_values(rows)
    flags = candidate.probabilities[places] >= candidate.manifest["threshold"]
    probabilities = active.engine.predict_proba(texts)
    conditions = [_compare_slice("held_out", labels, flags, active, probabilities >= active.threshold, limits)]
    if best := _find_best(others, texts, labels):
        conditions.append(_compare_slice("held_out", labels, flags, *best, limits))
    figures: SliceFigures = {
        "candidate": _measure_rows(candidate, places, labels),
        "rival": measure(labels, probabilities, active.threshold),
    }
    return {"held_out": figures}, conditions


def _compare_evaluation_set(
    candidate: Candidate, active: Rival, limits: Limits
) -> tuple[dict[str, SliceFigures], list[Condition]]:
    """Compare F1 on the evaluation set that ships with the engine, if one does."""
    if candidate.evaluation is None:
        return {}, []
    test = candidate.evaluation.select_split("test")
    labels = test.truth()
    mine, theirs = (one.engine.judge_evaluation_set(test)[PRIMARY] for one in (candidate, active))
    threshold = candidate.manifest["threshold"]
    condition = _compare_slice("shipped", labels, mine >= threshold, active, theirs >= active.threshold, limits)
    figures: SliceFigures = {
        "candidate": measure(labels, mine, threshold),
        "rival": measure(labels, theirs, active.threshold),
    }
    return {"shipped": figures}, [condition]


def _compare_slice(subject: str, labels: Bools, flags: Bools, rival: Rival, rival_flags: Bools, limits: Limits) -> Condition:
    f1, other, interval = compare_f1(labels, flags, rival_flags)
    is_worse = other - f1 > limits.f1_loss + _EPSILON and interval[1] < 0
    return Condition("f1", subject, f1, other, rival.name, limits.f1_loss, interval, not is_worse)


def _find_best(others: Iterable[Rival], texts: list[str], labels: Bools) -> tuple[Rival, Bools] | None:
    """Return the rival with the highest F1 on these texts, and which of them it flags; `None` if there is no rival."""
    best, best_f1 = None, -1.0
    for rival in others:
        flags = rival.flag(texts)
        f1 = measure_f1(labels, flags)
        if f1 > best_f1:
            best, best_f1 = (rival, flags), f1
    return best


def _compare_checks(candidate: Candidate, active: Rival, limits: Limits) -> list[Condition]:
    # Both are answered now, not read from the manifests: checks may have been added since the active version was trained.
    rights = [answer_checks(one.engine, one.manifest["threshold"]) for one in (candidate, active)]
    mine, theirs = map(summarise_checks, rights)
    intervals, gap_interval = estimate_check_intervals(*rights)
    conditions: list[Condition] = []
    for group, share in theirs["groups"].items():
        is_worse = share - mine["groups"][group] > limits.group_loss + _EPSILON and intervals[group][1] < 0
        figures = (mine["groups"][group], share, active.name, limits.group_loss)
        conditions.append(Condition("functional_group", group, *figures, intervals[group], not is_worse))
    gap, gap_before = mine["false_positive_gap"], theirs["false_positive_gap"]
    is_wider = gap - gap_before > limits.gap_growth + _EPSILON and gap_interval[0] > 0
    figures = (gap, gap_before, active.name, limits.gap_growth)
    return [*conditions, Condition("false_positive_gap", "", *figures, gap_interval, not is_wider)]


def _compare_reviews(candidate: Candidate, active: Rival, limits: Limits) -> list[Condition]:
    """Compare the shares of training-side reviews that both answer as reviewed, if there are any."""
    reviews = candidate.training_reviews
    if not reviews:
        return []
    texts, said = [row.text for row in reviews], list_values(reviews)
    mine = candidate.engine.predict_proba(texts) >= candidate.manifest["threshold"]
    shares = float((mine == said).mean()), float((active.flag(texts) == said).mean())
    is_worse = shares[1] - shares[0] > limits.review_loss + _EPSILON
    return [Condition("reviews", "", *shares, active.name, limits.review_loss, None, not is_worse)]


def _measure_newer(candidate: Candidate, active: Rival, places: list[int]) -> dict[str, SliceFigures]:
    """Return the figures of both on the held-out rows with new or changed labels, if there are any."""
    if not places:
        return {}
    rows = [candidate.held_out[at] for at in places]
    probabilities = active.engine.predict_proba([row.text for row in rows])
    theirs = measure(list_values(rows), probabilities, active.threshold)
    return {"newer": {"candidate": _measure_rows(candidate, places), "rival": theirs}}


def _measure_rows(candidate: Candidate, places: Iterable[int], labels: Bools | None = None) -> Figures:
    """Return the figures of the candidate on the held-out rows at these places, by their labels now unless others are given."""
    places = list(places)
    if labels is None:
        labels = list_values([candidate.held_out[at] for at in places])
    return measure(labels, candidate.probabilities[places], candidate.manifest["threshold"])
