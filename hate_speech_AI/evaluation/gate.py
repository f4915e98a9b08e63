"""The promotion gate: whether a candidate may take the active version's place.

It compares the candidate with its rivals on the same texts, by their models alone, without reviews. In every condition the
candidate may be worse than any rival by at most the limit. One of the rivals, the anchor, stays the same night after night. So
many small losses do not add up to a large one.

The held-out rows have the labels that they had when the active version was trained. Newer labels, which may be wrong, do not
decide yet. They are shown as a slice of their own, and decide from the next version on.
"""

from dataclasses import asdict, dataclass, field

from ..manifest import CandidateManifest, GateVerdict, SliceFigures
from ..training.candidate import Candidate
from .exam import Answers, Exam, Subject
from .functional_checks import estimate_gap_interval, estimate_group_interval
from .intervals import compare_f1

# The last reason of a refusal for which only older versions than the active one speak.
_OVERRULE = (
    "Only older versions than the active one are better by more than the limit. If you accept the loss, activate this version"
    " with `manage.py models activate`; then later versions are compared with it instead."
)
_EPSILON = 1e-9  # so that rounding cannot fail a loss of exactly the limit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much worse than a rival a candidate may be, as shares from 0 to 1."""

    f1_loss: float = 0.005
    group_loss: float = 0.04
    gap_growth: float = 0.04
    review_loss: float = 0.02

    def of(self, kind: str) -> float:
        """Return the limit of a kind of condition."""
        return {
            "f1": self.f1_loss,
            "functional_group": self.group_loss,
            "false_positive_gap": self.gap_growth,
            "reviews": self.review_loss,
        }[kind]


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Rivals:
    """The versions that a candidate is compared with, and their answers in the exam.

    Attributes
    ----------
    active : Answers, optional
        The active version. If that cannot be read, the newest that can be. `None` if there is no version, or if none can be read.
    anchor : Answers, optional
        The version that stays the same night after night.
    recent : list of Answers
        Other versions that were active lately. In each condition the best of them counts.
    manifest : CandidateManifest, optional
        The manifest of the active version.
    error : str
        Why the active version cannot be compared with, if it cannot.
    """

    active: Answers | None = None
    anchor: Answers | None = None
    recent: list[Answers] = field(default_factory=list)
    manifest: CandidateManifest | None = None
    error: str = ""

    def list_all(self) -> list[Answers]:
        """Return all rivals."""
        return [rival for rival in (self.active, self.anchor, *self.recent) if rival]


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of the gate: with the rival against which the candidate does worst.

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

    @property
    def loss(self) -> float:
        """How much worse than the rival the candidate is."""
        return _compute_loss(self.kind, self.candidate, self.rival)


def judge(candidate: Candidate, exam: Exam, rivals: Rivals, limits: Limits = DEFAULT_LIMITS) -> GateVerdict:
    """Compare a candidate with its rivals.

    The first version of a store passes, since there is nothing to compare it with. No candidate passes because a rival cannot be
    read.

    Returns
    -------
    GateVerdict
        Its slices are "held_out"; "shipped", the evaluation set that ships with the engine; and "newer", the held-out rows whose
        labels are new or changed since the active version was trained. They show the figures of the active version.
    """
    active = rivals.active
    if active is None or _is_placeholder(candidate, rivals):
        reasons = [rivals.error] if active is None and rivals.error else []
        figures = candidate.manifest["score"]["slices"]["held_out"]
        return _conclude(None, None, [], reasons, {"held_out": {"candidate": figures}})
    mine = exam.answer("", candidate.engine, candidate.manifest["threshold"])
    conditions = _compare(mine, rivals, exam, limits)
    slices: dict[str, SliceFigures] = {
        part: {"candidate": exam.measure_part(mine, part), "rival": exam.measure_part(active, part)}
        for part in ("held_out", "shipped", "newer")
        if part in exam.places and (part == "held_out" or len(exam.places[part]))
    }
    failed = [condition for condition in conditions if not condition.passed]
    reasons = [str(condition) for condition in failed]
    if failed and all(condition.rival_version != active.name for condition in failed):
        reasons.append(_OVERRULE)
    return _conclude(active, rivals.anchor, conditions, reasons, slices)


def _is_placeholder(candidate: Candidate, rivals: Rivals) -> bool:
    return rivals.manifest is not None and candidate.engine.is_placeholder(rivals.manifest, candidate.manifest)


def _conclude(
    active: Answers | None,
    anchor: Answers | None,
    conditions: list[Condition],
    reasons: list[str],
    slices: dict[str, SliceFigures],
) -> GateVerdict:
    return {
        "passed": not reasons,
        "rival": active.name if active else None,
        "anchor": anchor.name if anchor else None,
        "conditions": [asdict(condition) for condition in conditions],
        "reasons": reasons,
        "slices": slices,
    }


def _compare(mine: Answers, rivals: Rivals, exam: Exam, limits: Limits) -> list[Condition]:
    """Return the conditions: for each subject the comparison that fails, else the one with the largest loss."""
    fixed = {rival.name: rival for rival in (rivals.active, rivals.anchor) if rival}
    figures = {rival.name: exam.compute_figures(rival) for rival in (*fixed.values(), *rivals.recent)}
    conditions = []
    for subject, figure in exam.compute_figures(mine).items():
        losses = {name: _compute_loss(subject[0], figure, theirs[subject]) for name, theirs in figures.items()}
        compared = dict(fixed)
        if rivals.recent:
            best = max(rivals.recent, key=lambda rival: losses[rival.name])
            compared[best.name] = best
        worst_first = sorted(compared, key=lambda name: -losses[name])
        limit = limits.of(subject[0])
        # The intervals take most of the time, so only those that may decide are computed.
        may_fail = [name for name in worst_first if losses[name] > limit + _EPSILON] or worst_first[:1]
        found = []
        for name in may_fail:
            interval = _estimate_interval(subject, exam, mine, compared[name])
            passed = losses[name] <= limit + _EPSILON or not _is_certain(subject[0], interval)
            found.append(Condition(*subject, figure, figures[name][subject], name, limit, interval, passed))
            if not passed:
                break
        conditions.append(min(found, key=lambda one: (one.passed, -one.loss)))
    return conditions


def _compute_loss(kind: str, mine: float, theirs: float) -> float:
    return mine - theirs if kind == "false_positive_gap" else theirs - mine


def _is_certain(kind: str, interval: tuple[float, float] | None) -> bool:
    """Return whether a loss with this interval is more than chance."""
    if interval is None:
        return True
    return interval[0] > 0 if kind == "false_positive_gap" else interval[1] < 0


def _estimate_interval(subject: Subject, exam: Exam, mine: Answers, rival: Answers) -> tuple[float, float] | None:
    kind, name = subject
    if kind == "reviews":
        return None
    if kind == "f1":
        at = exam.places[name]
        return compare_f1(exam.truth[name][at], mine.flags(name)[at], rival.flags(name)[at])[2]
    rights = exam.is_right(mine, "checks"), exam.is_right(rival, "checks")
    return estimate_group_interval(name, *rights) if kind == "functional_group" else estimate_gap_interval(*rights)
