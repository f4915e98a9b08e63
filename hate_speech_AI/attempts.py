"""Attempts to train a version: on all rows, and if the gate finds harm without the labels that did it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .engines.base import Engine, Fitted, Losses
from .engines.evaluation_set import EvaluationSet
from .errors import NotEnoughDataError
from .evaluation import gate
from .evaluation.exam import Exam
from .evaluation.gate import Limits, Rivals
from .manifest import GateVerdict, Trial
from .text import fingerprint
from .training.candidate import Candidate, measure_candidate
from .training.progress import Progress, Steps
from .training.rows import Row, RowFields, Split, read_split
from .training.suspects import choose_suspects, get_batch

_MORE_ATTEMPTS = 3

# A condition of the gate, as the verdict holds it.
ConditionFields = dict[str, Any]
# Reads the rows again, without these labels. The labels that their texts had before count instead.
ReadWithout = Callable[[list[Row]], Iterable[RowFields]]


@dataclass(frozen=True)
class Attempt:
    """A training on some rows: its candidates, and those of them that were judged, up to the first that passed."""

    split: Split
    fitted: list[Fitted]
    judged: list[tuple[Fitted, Candidate, GateVerdict]]

    @property
    def passed(self) -> bool:
        return self.judged[-1][2]["passed"]

    @property
    def is_sound(self) -> bool:
        """Whether a candidate passed, and none before it treats the identities less equally than a rival does.

        A strong prior hides poison for some nights, and learns a little of it each night. A weak prior shows it at once.
        """
        return self.passed and not any(
            condition["kind"] == "false_positive_gap" and not condition["passed"]
            for _, _, verdict in self.judged
            for condition in verdict["conditions"]
        )

    def get_best(self) -> tuple[Candidate, GateVerdict]:
        """Return the candidate that passed, else the first, so that its report shows the reasons."""
        _, candidate, verdict = self.judged[-1 if self.passed else 0]
        return candidate, verdict

    def list_trials(self) -> list[Trial]:
        """Return what the manifest says of the candidates that were judged; nothing if there was only one to judge."""
        return [_describe_trial(*one) for one in self.judged] if len(self.fitted) > 1 else []


@dataclass(frozen=True)
class Trainer:
    """Makes attempts that all sit the same exam.

    Attributes
    ----------
    engine : type of Engine
    evaluation : EvaluationSet, optional
        The evaluation set that ships with the engine.
    exam : Exam
    rivals : Rivals
    limits : Limits
    """

    engine: type[Engine]
    evaluation: EvaluationSet | None
    exam: Exam
    rivals: Rivals
    limits: Limits

    def attempt(self, split: Split, exam: Exam) -> Steps[Attempt]:
        """Fit the engine to the rows of a split, and judge its candidates until one passes.

        The best candidate comes last once more, with the threshold of the active version. A threshold that is chosen on few rows
        moves by chance, which alone can cost a group of the functional checks more than the limit.
        """
        fitted = yield from self.engine.fit_candidates(split)
        if self.rivals.active and self.rivals.active.threshold != fitted[0].threshold:
            fitted = [*fitted, replace(fitted[0], threshold=self.rivals.active.threshold)]
        judged = []
        for one in fitted:
            yield Progress("evaluating", split.n_rows)
            candidate = measure_candidate(one, split, self.evaluation)
            yield Progress("evaluating", split.n_rows)
            verdict = gate.judge(candidate, exam, self.rivals, self.limits)
            judged.append((one, candidate, verdict))
            if verdict["passed"]:
                break
        return Attempt(split, fitted, judged)

    def attempt_without_harm(self, first: Attempt, read_without: ReadWithout) -> Steps[tuple[Attempt, list[Row]]]:
        """Look for the labels that make an attempt unsound, and try again without them, up to three times.

        1. Estimate how much harm each label did to what the gate found worse, and choose suspects: see `choose_suspects`.
        2. Train on the rows without them.
        3. If that is not sound either, look for more. If nothing has passed in the end, leave out whole batches.

        Returns
        -------
        tuple
            The attempt that is sound, else the first that passed, and the labels that it left out; else `first` and none.
        """
        known = self.rivals.manifest["rows"]["digest"] if self.rivals.manifest else None
        suspects: dict[str, Row] = {}
        last, exam = first, self.exam
        best: tuple[Attempt, list[Row]] = first, []
        for number in range(_MORE_ATTEMPTS):
            found = self._find_suspects(last, exam)
            if number == _MORE_ATTEMPTS - 1 and not best[0].passed:
                batches = set(map(get_batch, [*suspects.values(), *found]))
                found = [row for row in first.split.list_primary() if get_batch(row) in batches and not row.is_settled]
            suspects |= {fingerprint(row.text): row for row in found}
            if not found:
                break
            split = yield from self.read(read_without(list(suspects.values())))
            if split.digest == known:
                break  # beside the suspects, there is nothing to learn
            exam = self.exam.without(suspects)
            try:
                last = yield from self.attempt(split, exam)
            except NotEnoughDataError:
                break
            if last.is_sound or (last.passed and not best[0].passed):
                best = last, list(suspects.values())
            if last.is_sound:
                break
        return best

    def read(self, rows: Iterable[RowFields]) -> Steps[Split]:
        """Read rows, and split them."""
        evaluated = self.evaluation.fingerprints if self.evaluation is not None else ()
        return (yield from read_split(rows, self.engine.learned_before(), evaluated))

    def _find_suspects(self, unsound: Attempt, exam: Exam) -> list[Row]:
        """Return the labels that did most of the harm in an attempt. There are none if the gate compared nothing."""
        candidate, conditions = _choose_evidence(unsound)
        losses = _list_losses(candidate, conditions, exam, self.rivals)
        rows = unsound.split.list_primary()
        return choose_suspects(rows, candidate.engine.estimate_harm(rows, losses)) if rows and losses else []


def _choose_evidence(unsound: Attempt) -> tuple[Candidate, list[ConditionFields]]:
    """Return the candidate that came nearest to passing among those that failed, and the conditions that it failed.

    What ships with the service comes first. A poisoner may have a part in the held-out rows and the reviews: then what fails
    there would accuse the honest.
    """
    found = []
    for _, candidate, verdict in unsound.judged:
        if verdict["passed"]:
            continue
        conditions = [condition for condition in verdict["conditions"] if not condition["passed"]]
        shipped = [one for one in conditions if one["kind"] not in ("f1", "reviews") or one["subject"] == "shipped"]
        found.append((not shipped, len(shipped or conditions), candidate, shipped or conditions))
    *_, candidate, conditions = min(found, key=lambda one: one[:2])
    return candidate, conditions


def _list_losses(candidate: Candidate, conditions: list[ConditionFields], exam: Exam, rivals: Rivals) -> Losses | None:
    """Return the texts that failed conditions are about; `None` if there are none. Each condition has the same weight."""
    answers = {rival.name: rival for rival in rivals.list_all()}
    mine = exam.answer("", candidate.engine, candidate.manifest["threshold"])
    weights = {part: np.zeros(len(truth)) for part, truth in exam.truth.items()}
    for condition in conditions:
        subject = condition["kind"], condition["subject"]
        part, places = exam.find_lost(subject, mine, answers[condition["rival_version"]])
        weights[part][places] += 1 / max(len(places), 1)
    # A text that is not hate was pulled towards hate, and the other way round.
    pulls = {part: np.where(exam.truth[part], -some, some) for part, some in weights.items()}
    if not any(some.any() for some in pulls.values()):
        return None
    texts = [(text, pull) for part, own in exam.texts.items() for text, pull in zip(own, pulls[part], strict=True) if pull]
    shipped = np.flatnonzero(pulls.get("shipped", []))
    return Losses(
        [text for text, _ in texts],
        np.array([pull for _, pull in texts]),
        exam.evaluation.take(shipped) if exam.evaluation is not None else None,
        pulls["shipped"][shipped] if exam.evaluation is not None else np.empty(0),
    )


def _describe_trial(fitted: Fitted, candidate: Candidate, verdict: GateVerdict) -> Trial:
    return {
        **fitted.choices,
        "threshold": fitted.threshold,
        "held_out_f1": candidate.manifest["score"]["slices"]["held_out"]["f1"],
        "passed": verdict["passed"],
        "reasons": verdict["reasons"],
    }
