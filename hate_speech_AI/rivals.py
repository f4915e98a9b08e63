"""The versions that a candidate is compared with: the active one, the anchor, and those that were active lately.

Each is loaded once in a training, answers the exam, and is let go.
"""

import logging
from collections.abc import Collection, Iterable, Iterator

from .engines.evaluation_set import EvaluationSet
from .errors import VersionError
from .evaluation.exam import Answers, Exam
from .evaluation.gate import Rivals
from .label_index import LabelIndex
from .labels import PRIMARY
from .store import ModelStore
from .training.rows import Split
from .version import Version

logger = logging.getLogger(__name__)


def set_exam(
    store: ModelStore,
    split: Split,
    evaluation: EvaluationSet | None,
    *,
    active: str | None,
    recent: Iterable[str] = (),
    withdrawn: Collection[tuple[str, bool]] = (),
) -> tuple[Exam, Rivals]:
    """Set the exam of a training, and let the rivals answer it. `active` is the name of the active version."""
    recent = list(recent)
    first, error = _load_active(store, active, recent)
    known = first.reviews.get(PRIMARY, LabelIndex.build(())) if first else None
    exam = Exam.prepare(split, evaluation, _load_held_out(store, first), withdrawn, known)
    return exam, gather_rivals(store, exam, first, active=active, recent=recent, error=error)


def gather_rivals(
    store: ModelStore, exam: Exam, first: Version | None, *, active: str | None, recent: Iterable[str] = (), error: str = ""
) -> Rivals:
    """Let the rivals of a candidate answer an exam.

    Parameters
    ----------
    first : Version, optional
        The active version, or the one that takes its place in the comparison because of `error`.
    active : str, optional
        The name of the active version.
    recent : iterable of str
        The names of the versions that were active lately, the newest first.
    """
    anchor = find_anchor(store, first.name) if first else None
    answers = exam.answer(first.name, first.engine, first.threshold) if first else None
    if answers and answers.name == (anchor or _name_shipped(store)):
        fixed: Answers | None = answers
    else:
        fixed = _answer_as_anchor(store, exam, anchor) if store.versions() else None
    others = [name for name in recent if name not in (active, anchor, first and first.name)]
    lately = [
        exam.answer(version.name, version.engine, version.threshold)
        for version in _load_readable(store, others)
        # Before an operator overruled the gate, another standard held.
        if find_anchor(store, version.name) == anchor
    ]
    return Rivals(answers or fixed, fixed, lately, first.manifest if first else None, error)


def find_anchor(store: ModelStore, name: str) -> str | None:
    """Return the version that is the anchor of version `name`; `None` if that is the shipped engine, or unknown.

    It is the last version on its line that an operator activated although the gate had refused it. Without one, it is the shipped
    engine, or for an engine that ships none the first version of the line.
    """
    at: str | None = name
    first = None
    while at is not None and at != first:
        try:
            manifest = store.manifest(at)
        except VersionError:
            break
        first, gate = at, manifest["gate"]
        if not gate["passed"]:
            return at
        # Versions of earlier releases do not say their anchor: go back from one to the next.
        at = None if gate["rival"] is None else gate.get("anchor", manifest["parent"])
    return None if store.engine.is_shipped_ready else first


def _load_active(store: ModelStore, active: str | None, recent: list[str]) -> tuple[Version | None, str]:
    """Return the active version, else the newest that can be read; and why it is not the active one.

    A damaged file must not open the gate.
    """
    error = "No version is active."
    if active is not None:
        try:
            return store.load(active), ""
        except VersionError as reason:
            error = str(reason)
            logger.warning("The active version cannot be compared with: %s", error)
    stored = store.versions()
    if not stored:
        return None, ""
    passed = [name for name in reversed(stored) if _has_passed(store, name)]
    first = next(_load_readable(store, dict.fromkeys(name for name in (*recent, *passed) if name != active)), None)
    return first, f"{error} No other version can be read to compare with. `manage.py models activate` activates one by hand."


def _has_passed(store: ModelStore, name: str) -> bool:
    try:
        return store.manifest(name)["gate"]["passed"]
    except VersionError:
        return False


def _load_readable(store: ModelStore, names: Iterable[str]) -> Iterator[Version]:
    """Yield the versions of these names that can be loaded, one at a time."""
    for name in names:
        try:
            yield store.load(name)
        except VersionError as error:
            logger.warning("Left out of the comparison: %s", error)


def _load_held_out(store: ModelStore, version: Version | None) -> LabelIndex | None:
    if version is None:
        return None
    try:
        return store.held_out(version.name)
    except VersionError as error:
        logger.warning("No held-out row decides: %s", error)
        return None


def _name_shipped(store: ModelStore) -> str | None:
    return store.engine.name_shipped() if store.engine.is_shipped_ready else None


def _answer_as_anchor(store: ModelStore, exam: Exam, name: str | None) -> Answers | None:
    """Return the answers of the anchor; of the shipped engine if it has no name, or cannot be read."""
    for version in _load_readable(store, [name] if name else []):
        return exam.answer(version.name, version.engine, version.threshold)
    shipped = store.engine.load_shipped()
    if shipped is None:
        return None
    return exam.answer(store.engine.name_shipped(), shipped.engine, shipped.threshold)
