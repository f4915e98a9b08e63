"""Make a version without reviews that were withdrawn, from the active one: no training, and so no reading of all texts."""

from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from .engines.base import Fitted
from .evaluation import gate
from .evaluation.exam import Exam
from .evaluation.gate import DEFAULT_LIMITS, Limits
from .label_index import LabelIndex
from .labels import PRIMARY, list_teachers
from .manifest import GateVerdict, JudgedManifest, SliceFigures, Trials, get_choices
from .promotion import activate_if_passed, save_version
from .rivals import gather_rivals
from .store import ModelStore
from .text import compute_likeness, fingerprint
from .training.candidate import Candidate, measure_candidate
from .training.progress import Progress, Steps
from .training.rows import Row, Split, is_review, read_split
from .training.suspects import group_labels
from .version import Version
from .withdrawals import Withdrawal, apply_withdrawals


class Forgetting:
    """One withdrawal: it makes a version in the store from its parent, without some reviews.

    Only these are taken out. Nothing that came since is learned, since no question whether it does harm is asked here.

    Parameters
    ----------
    store : ModelStore
    parent : Version
        The active version, as it is stored.
    withdrawn : list of Row
        The reviews to take out: those that the parent knows.
    standing : list of Row
        The labels that the texts of these reviews have now.
    rows : iterable of Row
        All rows, as a training reads them. From these come the texts of the held-out labels.
    withdrawals_read : int
        How much of the file of withdrawals had been written before the rows were read.
    limits : Limits
    recent : iterable of str
        As in `promotion.Training`.

    Attributes
    ----------
    version : str
        The name of the version once `run` has ended; "" before.
    """

    def __init__(
        self,
        store: ModelStore,
        parent: Version,
        *,
        withdrawn: list[Row],
        standing: list[Row],
        rows: Iterable[Row] = (),
        withdrawals_read: int = 0,
        limits: Limits = DEFAULT_LIMITS,
        recent: Iterable[str] = (),
    ):
        self._store, self._parent = store, parent
        self._withdrawn, self._standing, self._rows = withdrawn, standing, rows
        self._withdrawals_read, self._limits, self._recent = withdrawals_read, limits, recent
        self.version = ""

    def run(self) -> Steps[None]:
        """Make the version, and yield progress as a training does.

        1. Take the reviews out of each head that has learned from them, by one Newton step. Prior strength and threshold stay.
        2. Measure the result as any candidate. The held-out labels are those of the parent, but for the withdrawn ones.
        3. Judge it by the functional checks and the identity gaps alone. Whether F1 falls is not asked: what people take back
           goes, even if it was right.
        4. Save it, and activate it if it passed. Do not if a version is pinned, or if another was activated meanwhile.

        Raises
        ------
        ForgettingError
            So much was withdrawn that what is left is no posterior.
        """
        engine = self._store.engine
        with engine.cache_embeddings(self._store.root / "embeddings"):
            yield Progress("reading", 0)
            evaluation = engine.load_evaluation_set()
            evaluated = evaluation.fingerprints if evaluation is not None else ()
            removed = yield from read_split(self._list_lessons(), engine.learned_before(), evaluated)
            yield Progress("fitting", 0)
            lessons = {label: removed.list_learnable(label) for label in self._parent.engine.labels}
            rest = yield from self._parent.engine.forget(lessons)
            yield Progress("evaluating", 0)
            fitted = Fitted(rest, self._parent.threshold, get_choices(self._parent.manifest))
            candidate = measure_candidate(fitted, self._describe_rest(removed), evaluation)
            verdict = self._judge(candidate)
        yield Progress("saving", 0)
        self.version = self._save(candidate, verdict)
        yield Progress("activating", 0)
        activate_if_passed(self._store, self.version, self._parent.name, verdict)

    def _list_lessons(self) -> list[Row]:
        """Return the rows that the heads are no longer to know, those of the primary label first.

        They are what a head has learned of a text from the reviews that its parent knows, unless the labels that the text has now
        teach the same.
        """
        now: dict[str, dict[str, bool]] = {}
        for row in self._standing:
            now.setdefault(fingerprint(row.text), {})[row.label] = row.value
        texts = {fingerprint(row.text): row for row in self._withdrawn}
        lessons = []
        for label in sorted(self._parent.engine.labels, key=lambda label: label != PRIMARY):
            for digest, row in texts.items():
                before = {name: said for name, index in self._parent.reviews.items() if (said := index.get(digest)) is not None}
                stands = now.get(digest, {})
                # What an import says of the label, it taught before too: then no review of another label did.
                if label in stands and label not in before:
                    continue
                lesson = _find_lesson(label, before)
                if lesson is not None and lesson != _find_lesson(label, stands):
                    lessons.append(row._replace(value=lesson, label=label))
        return lessons

    def _describe_rest(self, removed: Split) -> Split:
        """Return a split that has the held-out rows, the reviews and the counts of the new version."""
        rows = self._parent.manifest["rows"]
        score = self._parent.manifest["score"]
        sources = Counter(rows["by_source"])
        sources.subtract(removed.sources)
        return Split(
            sides={(PRIMARY, "held_out"): list(self._find_held_out())},
            training_reviews=[],
            reviews=apply_withdrawals(self._parent, self._list_withdrawals()).reviews,
            digest="",
            sources={source: count for source, count in sources.items() if count > 0},
            n_rows=0,
            n_learned=rows["learned_before"],
            n_trained_on=max(score["trained_on"] - removed.n_trained_on, 0),
        )

    def _find_held_out(self) -> Iterable[Row]:
        """Yield the held-out rows with the labels of the parent, but for those that were withdrawn."""
        frozen: LabelIndex = self._store.held_out(self._parent.name)
        withdrawn = {(fingerprint(row.text), row.value) for row in self._withdrawn if row.label == PRIMARY}
        for row in takewhile(lambda row: row.label == PRIMARY, self._rows):
            digest = fingerprint(row.text)
            value = frozen.get(digest)
            if value is not None and (digest, value) not in withdrawn:
                yield row._replace(value=value)

    def _list_withdrawals(self) -> list[Withdrawal]:
        counting = {(fingerprint(row.text), row.label): row.value for row in self._standing if is_review(row.source)}
        places = ((row, fingerprint(row.text)) for row in self._withdrawn)
        return [
            Withdrawal(row.label, digest, compute_likeness(row.text), counting.get((digest, row.label))) for row, digest in places
        ]

    def _save(self, candidate: Candidate, verdict: GateVerdict) -> str:
        manifest: JudgedManifest = {
            **candidate.manifest,
            "parent": self._parent.name,
            "gate": verdict,
            "set_aside": [],
            "withdrawn": group_labels(self._withdrawn),
            "withdrawals_read": self._withdrawals_read,
            **Trials(),
        }
        return save_version(self._store, candidate, manifest)

    def _judge(self, candidate: Candidate) -> GateVerdict:
        exam = Exam.prepare_checks()
        rivals = gather_rivals(self._store, exam, self._parent, active=self._parent.name, recent=self._recent)
        verdict = gate.judge(candidate, exam, rivals, self._limits)
        before, after = self._parent.manifest["score"]["slices"], candidate.manifest["score"]["slices"]
        # For the report. They decide nothing.
        slices: dict[str, SliceFigures] = {
            part: {"candidate": after[part], "rival": before[part]} for part in after if part in before
        }
        return {**verdict, "slices": slices}


def _find_lesson(label: str, said: dict[str, bool]) -> bool | None:
    """Return what the labels of a text teach the head of a label; `None` if they teach it nothing."""
    if label in said:
        return said[label]
    return True if any(said.get(teacher) for teacher in list_teachers(label)) else None
