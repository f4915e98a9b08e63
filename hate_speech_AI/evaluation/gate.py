"""The promotion gate: whether a candidate may take the active version's place.

It compares the candidate with its rivals on the same texts, by their models alone, without reviews. In every condition the
candidate may be worse than any rival by at most the limit. One of the rivals, the anchor, stays the same night after night. So
many small losses do not add up to a large one.

A community may mean something else by hate than the shipped evaluation set and what was imported do. So a candidate may forget a
part of those if it answers the reviews better, by more than chance: see `own_reviews`.

The held-out rows have the labels that they had when the active version was trained. Newer labels, which may be wrong, do not
decide yet. They are shown as a slice of their own, and decide from the next version on.
"""

from dataclasses import asdict, dataclass, field

from ..manifest import CandidateManifest, GateVerdict, OwnReviews, SliceFigures
from ..training.candidate import Candidate
from .exam import Answers, Exam, Subject
from .functional_checks import estimate_gap_interval, estimate_group_interval
from .intervals import compare_f1
from .own_reviews import compare_own_reviews

# The last reason of a refusal for which only older versions than the active one speak.
_OVERRULE = (
    "Only older versions than the active one are better by more than the limit. If you accept the loss, activate this version"
    " with `manage.py models activate`; then later versions are compared with it instead."
)
# What a candidate may forget if its community gains by it.
_FORGETTABLE = (("f1", "shipped"), ("roc_auc", "shipped"), ("f1", "imported"))
_EPSILON = 1e-9  # so that rounding cannot fail a loss of exactly the limit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much worse than a rival a candidate may be, as shares from 0 to 1.

    "forgetting" is how much F1 a candidate may lose on the shipped evaluation set and on imported rows if its community gains by
    it, and three times how much ROC AUC it may lose on the shipped evaluation set. Otherwise "f1_loss" limits both.
    """

    f1_loss: float = 0.005
    group_loss: float = 0.04
    gap_growth: float = 0.04
    review_loss: float = 0.02
    forgetting: float = 0.03

    def of(self, subject: Subject, *, may_forget: bool, forgotten: float) -> float:
        """Return the limit of a condition. `forgotten` is what the active version has lost against the same rival."""
        limit = {
            "f1": self.f1_loss,
            "roc_auc": self.f1_loss,
            "functional_group": self.group_loss,
            "false_positive_gap": self.gap_growth,
            "reviews": self.review_loss,
        }[subject[0]]
        if subject not in _FORGETTABLE:
            return limit
        budget = self.forgetting / 3 if subject[0] == "roc_auc" else self.forgetting
        return max(limit, budget if may_forget else min(budget, forgotten))


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
        "f1", "roc_auc", "functional_group", "false_positive_gap" or "reviews".
    subject : str
        The slice for "f1" and "roc_auc", the group for "functional_group", otherwise "".
    candidate, rival : float
        The figures of both.
    rival_version : str
        The name of the rival.
    limit : float
        How much worse the candidate may be.
    interval : tuple of float, optional
        Bootstrap 95 % interval of candidate less rival; `None` for ROC AUC and for reviews. A loss counts only if the interval
        excludes zero.
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
            "roc_auc": f"ROC AUC on the slice {self.subject}",
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
        labels are new or changed since the active version was trained. They show the figures of the active version. Where some
        held-out rows are reviews, the others are "imported".
    """
    active = rivals.active
    if active is None or _is_placeholder(candidate, rivals):
        reasons = [rivals.error] if active is None and rivals.error else []
        figures = candidate.manifest["score"]["slices"]["held_out"]
        return _conclude(None, None, [], reasons, {"held_out": {"candidate": figures}})
    mine = exam.answer("", candidate.engine, candidate.manifest["threshold"])
    own = _compare_own_reviews(candidate, exam, rivals.anchor)
    may_forget = own is not None and own["may_forget"]
    conditions = _compare(mine, active, rivals, exam, limits, may_forget=may_forget)
    slices: dict[str, SliceFigures] = {
        part: {"candidate": exam.measure_part(mine, part), "rival": exam.measure_part(active, part)}
        for part in ("held_out", "imported", "shipped", "newer")
        if part in exam.places and (part == "held_out" or len(exam.places[part]))
    }
    failed = [condition for condition in conditions if not condition.passed]
    reasons = [str(condition) for condition in failed]
    if own and not may_forget and any((condition.kind, condition.subject) in _FORGETTABLE for condition in failed):
        reasons.append(f"Its own reviews do not let it forget anything: {own['reason']}.")
    if failed and all(condition.rival_version != active.name for condition in failed):
        reasons.append(_OVERRULE)
    verdict = _conclude(active, rivals.anchor, conditions, reasons, slices)
    return {**verdict, "own_reviews": own} if own else verdict


def _compare_own_reviews(candidate: Candidate, exam: Exam, anchor: Answers | None) -> OwnReviews | None:
    if candidate.out_of_fold is None or anchor is None:
        return None
    return compare_own_reviews(exam.judge_own_reviews(candidate.out_of_fold, anchor))


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


def _compare(mine: Answers, active: Answers, rivals: Rivals, exam: Exam, limits: Limits, *, may_forget: bool) -> list[Condition]:
    """Return the conditions: for each subject the comparison that fails, else the one with the largest loss.

    What may be forgotten of the shipped evaluation set is a budget for all nights. So only the anchor counts there. A candidate
    that may forget nothing need not bring back what the active version forgot.
    """
    fixed = {rival.name: rival for rival in (active, rivals.anchor) if rival}
    figures = {rival.name: exam.compute_figures(rival) for rival in (*fixed.values(), *rivals.recent)}
    conditions = []
    for subject, figure in exam.compute_figures(mine).items():
        before = figures[active.name][subject]
        losses = {name: _compute_loss(subject[0], figure, theirs[subject]) for name, theirs in figures.items()}
        compared = dict(fixed)
        if rivals.anchor and may_forget and subject[1] == "shipped":
            compared = {rivals.anchor.name: rivals.anchor}
        elif rivals.recent:
            best = max(rivals.recent, key=lambda rival: losses[rival.name])
            compared[best.name] = best
        forgotten = {name: _compute_loss(subject[0], before, figures[name][subject]) for name in compared}
        limit = {name: limits.of(subject, may_forget=may_forget, forgotten=lost) for name, lost in forgotten.items()}
        # The active version before those against which it has forgotten something: that is not the work of tonight's labels.
        worst_first = sorted(compared, key=lambda name: (limit[name], -losses[name]))
        # The intervals take most of the time, so only those that may decide are computed.
        may_fail = [name for name in worst_first if losses[name] > limit[name] + _EPSILON] or worst_first[:1]
        found = []
        for name in may_fail:
            interval = _estimate_interval(subject, exam, mine, compared[name])
            passed = losses[name] <= limit[name] + _EPSILON or not _is_certain(subject[0], interval)
            found.append(Condition(*subject, figure, figures[name][subject], name, limit[name], interval, passed))
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
    if kind in ("roc_auc", "reviews"):
        return None
    if kind == "f1":
        labels, flagged = exam.flag(mine, name)
        return compare_f1(labels, flagged, exam.flag(rival, name)[1])[2]
    rights = exam.is_right(mine, "checks"), exam.is_right(rival, "checks")
    return estimate_group_interval(name, *rights) if kind == "functional_group" else estimate_gap_interval(*rights)
