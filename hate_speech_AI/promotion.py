"""From labelled rows to the active version: train, judge by the gate, save, activate."""

import logging
from collections.abc import Collection, Generator, Iterable, Iterator

from .engines.base import Fitted
from .engines.evaluation_set import EvaluationSet
from .errors import ForeignEncoderError, VersionError
from .evaluation import gate, report
from .evaluation.gate import DEFAULT_LIMITS, Limits, Rival
from .label_index import LabelIndex
from .store import ModelStore
from .training.candidate import Candidate, measure_candidate
from .training.progress import Progress, run_to_end
from .training.rows import Row, Split, read_split

logger = logging.getLogger(__name__)


class Training:
    """One training: labelled rows in, a version in the store out.

    Parameters
    ----------
    store : ModelStore
        Its engine is trained.
    rows : iterable of Row
        Or of tuples (text, value, source, label). Each text once for a label, those of the primary label first. The same rows in
        the same order give the same version, bit for bit.
    limits : Limits
        How much worse the version may be than its rivals.
    recent : iterable of str
        Versions that were active lately; the best of them is a rival too.
    withdrawn : collection of (fingerprint, label)
        Labels that were taken out since; they do not judge.

    Attributes
    ----------
    version : str
        The name of the version, once `run` has ended; "" before.
    """

    def __init__(
        self,
        store: ModelStore,
        rows: Iterable[Row | tuple],
        *,
        limits: Limits = DEFAULT_LIMITS,
        recent: Iterable[str] = (),
        withdrawn: Collection[tuple[str, bool]] = (),
    ):
        self._store, self._rows = store, rows
        self._limits, self._recent, self._withdrawn = limits, recent, withdrawn
        self.version = ""

    def run(self) -> Iterator[Progress]:
        """Train, yielding progress before each step and now and then within it. To stop the training, stop iterating.

        1. Read all rows into a split, by their fingerprints.
        2. Fit the engine: one candidate, or several of which the best is first.
        3. Measure one after the other, and judge it by the gate, until one passes.
        4. Save the one that passed; if none did, the first, which shows what the gate has against it.
        5. Activate it if it passed, unless a version is pinned, or another has become active meanwhile.

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
            candidate, verdict, tried = yield from self._choose(fitted, split, evaluation, parent)
        yield Progress("saving", split.n_rows)
        manifest = {**candidate.manifest, "parent": parent, "gate": verdict}
        if len(fitted) > 1:
            manifest["tried"] = tried
        self.version = save_version(self._store, candidate, manifest)
        yield Progress("activating", split.n_rows)
        if verdict["passed"] and self._store.find_pointer() in (None, (parent, False)):
            self._store.activate(self.version)

    def _choose(
        self, fitted: list[Fitted], split: Split, evaluation: EvaluationSet | None, parent: str | None
    ) -> Generator[Progress, None, tuple[Candidate, dict, list[dict]]]:
        """Return the first candidate that passes the gate, or the first of all, with its verdict and what was tried."""
        active, held_out = self._find_active(parent)
        recent = [name for name in self._recent if name != parent]
        judged: list[tuple[Candidate, dict]] = []
        tried = []
        for one in fitted:
            yield Progress("evaluating", split.n_rows)
            candidate = measure_candidate(one, split, evaluation)
            yield Progress("evaluating", split.n_rows)
            verdict = gate.judge(
                candidate,
                active,
                held_out,
                others=find_rivals(self._store, recent),
                limits=self._limits,
                withdrawn=self._withdrawn,
            )
            judged.append((candidate, verdict))
            tried.append(_describe_trial(one, candidate, verdict))
            if verdict["passed"]:
                return candidate, verdict, tried
        return *judged[0], tried

    def _find_active(self, name: str | None) -> tuple[Rival | None, LabelIndex | None]:
        """Return the active version as a rival and its held-out rows; `None` twice if it cannot be compared with."""
        if name is None:
            return None, None
        try:
            return load_rival(self._store, name), self._store.held_out(name)
        except VersionError as error:
            logger.warning("The active version cannot be compared with: %s", error)
            return None, None


def bootstrap_shipped_version(store: ModelStore) -> str | None:
    """Make the shipped engine a version, activate it and return its name; `None` if that is not needed or nothing is shipped.

    It is needed if nothing is active, or if the active version was made for another encoder. So the service answers at once, and
    the next training brings in what people said.

    Raises
    ------
    PretrainedError
        A file of what is shipped is missing or damaged.
    """
    fitted = store.engine.load_shipped() if _needs_bootstrap(store) else None
    if fitted is None:
        return None
    no_rows = run_to_end(read_split([]))
    candidate = measure_candidate(fitted, no_rows, store.engine.load_evaluation_set())
    verdict = {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {}}
    name = save_version(store, candidate, {**candidate.manifest, "parent": None, "gate": verdict}, with_history=False)
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
        return False  # said where it is served
    return False


def save_version(store: ModelStore, candidate: Candidate, manifest: dict, *, with_history: bool = True) -> str:
    """Save a candidate with its manifest and report, and return the name of the version; it is not active yet."""
    name = store.new_name()
    history = list_history(store) if with_history else []
    store.save(name, candidate, manifest, report.render(name, candidate, manifest, history))
    return name


def load_rival(store: ModelStore, name: str) -> Rival:
    """Return a version to compare with; raises `VersionError`."""
    version = store.load(name)
    return Rival(name, version.engine, version.manifest)


def find_rivals(store: ModelStore, names: Iterable[str]) -> Iterator[Rival]:
    """Yield the versions of these names that can be compared with, one loaded at a time."""
    for name in names:
        try:
            yield load_rival(store, name)
        except VersionError as error:
            logger.warning("Left out of the comparison: %s", error)


def list_history(store: ModelStore) -> list[dict]:
    """Return the manifests of the versions that can be read, oldest first."""
    manifests = []
    for name in store.versions():
        try:
            manifests.append(store.manifest(name))
        except VersionError:
            continue  # said elsewhere, where it matters
    return manifests


def _describe_trial(fitted: Fitted, candidate: Candidate, verdict: dict) -> dict:
    return {
        **fitted.choices,
        "threshold": fitted.threshold,
        "held_out_f1": candidate.manifest["score"]["slices"]["held_out"]["f1"],
        "passed": verdict["passed"],
        "reasons": verdict["reasons"],
    }
