"""Train a version, judge it by the gate, save it and activate it."""

import logging
from collections.abc import Collection, Iterable

from .attempts import Attempt, ReadWithout, Trainer
from .errors import ForeignEncoderError, VersionError
from .evaluation import report
from .evaluation.gate import DEFAULT_LIMITS, Limits
from .manifest import GateVerdict, JudgedManifest, Manifest, Trials, Withdrawn
from .rivals import set_exam
from .store import ModelStore
from .training.candidate import Candidate, measure_candidate
from .training.progress import Progress, Steps, run_to_end
from .training.rows import Row, RowFields, read_split
from .training.suspects import group_labels
from .withdrawals import WithdrawalLog

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
    read_without : callable, optional
        Reads the rows again, without some labels. If the gate finds harm, the training leaves out the labels that did it, and
        learns the rest. Without it nothing is left out.

    Attributes
    ----------
    version : str
        The name of the version once `run` has ended; "" before.
    set_aside : list of Row
        The labels that the version has not learned, because with them the gate would have refused it.
    """

    def __init__(
        self,
        store: ModelStore,
        rows: Iterable[RowFields],
        *,
        limits: Limits = DEFAULT_LIMITS,
        recent: Iterable[str] = (),
        withdrawn: Collection[tuple[str, bool]] = (),
        read_without: ReadWithout | None = None,
    ):
        self._store, self._rows = store, rows
        self._limits, self._recent, self._withdrawn = limits, recent, withdrawn
        self._read_without = read_without
        self.version = ""
        self.set_aside: list[Row] = []

    def run(self) -> Steps[None]:
        """Train, and yield progress before each step and from time to time within it. To stop the training, stop iterating.

        1. Read all rows and split them by their fingerprints.
        2. Fit the engine. It gives one candidate or several, the best first.
        3. Measure each candidate and judge it by the gate, until one passes.
        4. If none did, or if an earlier one treats the identities less equally than its rivals do, try again without the labels
           that did the harm, up to three times.
        5. Save the candidate that passed. If none did, save the first, so that its report shows the reasons.
        6. Activate the saved version if it passed. Do not if a version is pinned, or if another was activated meanwhile.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train the engine.
        PretrainedError
            A file of the shipped engine cannot be read.
        """
        engine = self._store.engine
        with engine.cache_embeddings(self._store.root / "embeddings"):
            yield Progress("reading", 0)
            # Before the rows: what is withdrawn while they are read is withdrawn again from the new version.
            withdrawals_read = WithdrawalLog(self._store.root).measure()
            evaluation = engine.load_evaluation_set()
            evaluated = evaluation.fingerprints if evaluation is not None else ()
            split = yield from read_split(self._rows, engine.learned_before(), evaluated)
            pointer = self._store.find_pointer()
            parent = pointer.version if pointer else None
            exam, rivals = set_exam(self._store, split, evaluation, active=parent, recent=self._recent, withdrawn=self._withdrawn)
            trainer = Trainer(engine, evaluation, exam, rivals, self._limits)
            attempt = yield from trainer.attempt(split, exam)
            if not attempt.is_sound and self._read_without:
                attempt, self.set_aside = yield from trainer.attempt_without_harm(attempt, self._read_without)
        yield Progress("saving", split.n_rows)
        self.version = self._save(attempt, parent, withdrawals_read)
        verdict = attempt.get_best()[1]
        yield Progress("activating", split.n_rows)
        activate_if_passed(self._store, self.version, parent, verdict)

    def _save(self, attempt: Attempt, parent: str | None, withdrawals_read: int) -> str:
        """Save the best candidate of an attempt, and return the name of the version."""
        candidate, verdict = attempt.get_best()
        trials: Trials = {"tried": tried} if (tried := attempt.list_trials()) else {}
        set_aside = group_labels(self.set_aside)
        manifest: JudgedManifest = {
            **candidate.manifest,
            "parent": parent,
            "gate": verdict,
            "set_aside": set_aside,
            "withdrawn": [],
            "withdrawals_read": withdrawals_read,
            **trials,
        }
        return save_version(self._store, candidate, manifest)


def bootstrap_shipped_version(store: ModelStore) -> str | None:
    """Save the shipped engine as a version, activate it and return its name.

    Its name says what it holds, so it is the same in every installation. Return `None` if it is not needed, or if no engine is
    shipped. It is needed if no version is active, or if the active one was trained for another encoder. Then the service answers
    at once, and the next training learns from the labels.

    Raises
    ------
    PretrainedError
        A shipped file is missing or damaged.
    """
    fitted = store.engine.load_shipped() if _needs_bootstrap(store) else None
    if fitted is None:
        return None
    name = store.engine.name_shipped()
    if _is_stored(store, name):
        store.activate(name)
        return name
    no_rows = run_to_end(read_split([]))
    candidate = measure_candidate(fitted, no_rows, store.engine.load_evaluation_set())
    verdict: GateVerdict = {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {}}
    manifest: JudgedManifest = {**candidate.manifest, "parent": None, "gate": verdict, "set_aside": [], **Withdrawn(), **Trials()}
    if (store.root / name).exists():
        name = store.new_name()  # what is there is damaged or not finished, and no folder is ever written again
    store.save(name, candidate, manifest, report.render(name, candidate, manifest, []))
    store.activate(name)
    return name


def _is_stored(store: ModelStore, name: str) -> bool:
    try:
        store.load(name)
    except VersionError:
        return False
    return True


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


def save_version(store: ModelStore, candidate: Candidate, manifest: JudgedManifest) -> str:
    """Save a candidate with its report, without activating it, and return the name of the version."""
    name = store.new_name()
    store.save(name, candidate, manifest, report.render(name, candidate, manifest, list_history(store)))
    return name


def activate_if_passed(store: ModelStore, name: str, parent: str | None, verdict: GateVerdict) -> None:
    """Activate a version that passed the gate. Do not if a version is pinned, or if another was activated than its parent.

    A version that came of the parent by withdrawals alone is not another. Then what it lacks is withdrawn again, from this one.
    """
    pointer = store.find_pointer()
    if verdict["passed"] and (pointer is None or (not pointer.is_pinned and _is_left_of(store, pointer.version, parent))):
        store.activate(name)


def _is_left_of(store: ModelStore, name: str, parent: str | None) -> bool:
    """Return whether a version is what withdrawals left of `parent`, or `parent` itself."""
    at: str | None = name
    while at is not None and at != parent:
        try:
            manifest = store.manifest(at)
        except VersionError:
            return False
        at = manifest["parent"] if manifest.get("withdrawn") else None
    return at is not None


def list_history(store: ModelStore) -> list[Manifest]:
    """Return the manifests that can be read, oldest first."""
    manifests: list[Manifest] = []
    for name in store.versions():
        try:
            manifests.append(store.manifest(name))
        except VersionError:
            continue  # reported where the version is used
    return manifests
