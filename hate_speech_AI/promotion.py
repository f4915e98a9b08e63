"""Train a version, judge it by the gate, save it and activate it."""

import logging
from collections.abc import Collection, Iterable

from .engines.base import Fitted
from .engines.evaluation_set import EvaluationSet
from .errors import ForeignEncoderError, VersionError
from .evaluation import gate, report
from .evaluation.exam import Exam
from .evaluation.gate import DEFAULT_LIMITS, Limits, Rivals
from .manifest import GateVerdict, JudgedManifest, Manifest, Trial, Trials
from .rivals import set_exam
from .store import ModelStore
from .training.candidate import Candidate, measure_candidate
from .training.progress import Progress, Steps, run_to_end
from .training.rows import RowFields, Split, read_split

logger = logging.getLogger(__name__)


class Training:
    """One training: it makes a version in the store from labelled rows.

    Parameters
    ----------
    store : ModelStore
        The store of the engine that is trained.
    rows : iterable of Row
        Or of tuples (text, value, source, label). Rows of the primary label come first. The same rows in the same order give the
        same version, bit for bit.
    limits : Limits
        How much worse than its rivals the version may be.
    recent : iterable of str
        Names of versions that were active lately, the newest first. The best of them is a rival too.
    withdrawn : collection of (fingerprint, value)
        Labels that were excluded since the active version was trained. The gate ignores them.

    Attributes
    ----------
    version : str
        The name of the version once `run` has ended; "" before.
    """

    def __init__(
        self,
        store: ModelStore,
        rows: Iterable[RowFields],
        *,
        limits: Limits = DEFAULT_LIMITS,
        recent: Iterable[str] = (),
        withdrawn: Collection[tuple[str, bool]] = (),
    ):
        self._store, self._rows = store, rows
        self._limits, self._recent, self._withdrawn = limits, recent, withdrawn
        self.version = ""

    def run(self) -> Steps[None]:
        """Train, and yield progress before each step and from time to time within it. To stop the training, stop iterating.

        1. Read all rows and split them by their fingerprints.
        2. Fit the engine. It gives one candidate or several, the best first.
        3. Measure each candidate and judge it by the gate, until one passes.
        4. Save the candidate that passed. If none did, save the first, so that its report shows the reasons.
        5. Activate the saved version if it passed. Do not if a version is pinned, or if another was activated meanwhile.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train the engine.
        PretrainedError
            A file of the shipped engine cannot be read.
        """
        engine = self._store.engine
        evaluation = engine.load_evaluation_set()
        with engine.cache_embeddings(self._store.root / "embeddings"):
            yield Progress("reading", 0)
            evaluated = evaluation.fingerprints if evaluation is not None else ()
            split = yield from read_split(self._rows, engine.learned_before(), evaluated)
            fitted = yield from engine.fit_candidates(split)
            pointer = self._store.find_pointer()
            parent = pointer.version if pointer else None
            exam, rivals = set_exam(self._store, split, evaluation, active=parent, recent=self._recent, withdrawn=self._withdrawn)
            candidate, verdict, tried = yield from self._choose(fitted, split, evaluation, exam, rivals)
        yield Progress("saving", split.n_rows)
        trials: Trials = {"tried": tried} if len(fitted) > 1 else {}
        manifest: JudgedManifest = {**candidate.manifest, "parent": parent, "gate": verdict, **trials}
        self.version = save_version(self._store, candidate, manifest)
        yield Progress("activating", split.n_rows)
        if verdict["passed"] and self._store.find_pointer() in (None, (parent, False)):
            self._store.activate(self.version)

    def _choose(
        self, fitted: list[Fitted], split: Split, evaluation: EvaluationSet | None, exam: Exam, rivals: Rivals
    ) -> Steps[tuple[Candidate, GateVerdict, list[Trial]]]:
        """Return the first candidate that passes the gate, else the first of all; its verdict; and every trial."""
        judged: list[tuple[Candidate, GateVerdict]] = []
        tried: list[Trial] = []
        for one in fitted:
            yield Progress("evaluating", split.n_rows)
            candidate = measure_candidate(one, split, evaluation)
            yield Progress("evaluating", split.n_rows)
            verdict = gate.judge(candidate, exam, rivals, self._limits)
            judged.append((candidate, verdict))
            tried.append(_describe_trial(one, candidate, verdict))
            if verdict["passed"]:
                return candidate, verdict, tried
        candidate, verdict = judged[0]
        return candidate, verdict, tried


def bootstrap_shipped_version(store: ModelStore) -> str | None:
    """Save the shipped engine as a version, activate it and return its name.

    Return `None` if that is not needed, or if no engine is shipped. It is needed if no version is active, or if the active one
    was trained for another encoder. Then the service answers at once, and the next training learns from the labels.

    Raises
    ------
    PretrainedError
        A shipped file is missing or damaged.
    """
    fitted = store.engine.load_shipped() if _needs_bootstrap(store) else None
    if fitted is None:
        return None
    no_rows = run_to_end(read_split([]))
    candidate = measure_candidate(fitted, no_rows, store.engine.load_evaluation_set())
    verdict: GateVerdict = {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {}}
    manifest: JudgedManifest = {**candidate.manifest, "parent": None, "gate": verdict, **Trials()}
    name = save_version(store, candidate, manifest, with_history=False)
    store.activate(name)
    return name


def _needs_bootstrap(store: ModelStore) -> bool:
    pointer = store.find_pointer()
    if pointer is None:
        return True
    try:
        store.load(pointer.version)
    except ForeignEncoderError as error:
        logger.warning("%s", error)
        return True
    except VersionError:
        return False  # the process that serves it reports the error
    return False


def save_version(store: ModelStore, candidate: Candidate, manifest: JudgedManifest, *, with_history: bool = True) -> str:
    """Save a candidate with its report, without activating it, and return the name of the version."""
    name = store.new_name()
    history = list_history(store) if with_history else []
    store.save(name, candidate, manifest, report.render(name, candidate, manifest, history))
    return name


def list_history(store: ModelStore) -> list[Manifest]:
    """Return the manifests that can be read, oldest first."""
    manifests: list[Manifest] = []
    for name in store.versions():
        try:
            manifests.append(store.manifest(name))
        except VersionError:
            continue  # reported where the version is used
    return manifests


def _describe_trial(fitted: Fitted, candidate: Candidate, verdict: GateVerdict) -> Trial:
    return {
        **fitted.choices,
        "threshold": fitted.threshold,
        "held_out_f1": candidate.manifest["score"]["slices"]["held_out"]["f1"],
        "passed": verdict["passed"],
        "reasons": verdict["reasons"],
    }
