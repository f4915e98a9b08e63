"""Write versions: record, activate and prune them; prepare a fresh installation."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from hate_speech_AI.core import classifier
from hate_speech_AI.errors import ForeignStoreError, VersionError
from hate_speech_AI.manifest import Manifest
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.rivals import find_anchor
from hate_speech_AI.store import ModelStore, Pointer

from ..access.audit import COMMAND_LINE, record_audit_entry
from ..labels.selectors import count_new_labels
from ..labels.services import import_starter_tweets
from . import selectors
from .models import Activation, ModelVersion, Store

logger = logging.getLogger(__name__)

KEPT_VERSIONS = 10


@contextmanager
def lock_store() -> Iterator[None]:
    """Let one process at a time write about the store, after a check that database and folder belong together.

    Raises
    ------
    ForeignStoreError
        The database belongs to another store, or the store's folder is not there.
    """
    with transaction.atomic():
        engine = classifier.store.engine.name
        row = Store.objects.filter(engine=engine).first() or _own_store()
        Store.objects.filter(pk=row.pk).update(engine=engine)  # changes nothing, and locks the row
        row.refresh_from_db()
        if classifier.store.identity() != row.identity:
            raise _describe_foreign_store()
        yield


def _own_store() -> Store:
    """Return the row of the store, made now: the first process that uses a database decides which store it belongs to."""
    store = classifier.store
    served = Activation.objects.filter(version__engine=store.engine.name, version__pruned_at=None)
    names = set(served.values_list("version__name", flat=True))
    if names and names.isdisjoint(store.versions()):
        raise _describe_foreign_store()
    # The folder first: a process beside this one that finds the row finds the folder's identity too.
    row, _ = Store.objects.get_or_create(engine=store.engine.name, defaults={"identity": store.make_identity()})
    return row


def _describe_foreign_store() -> ForeignStoreError:
    return ForeignStoreError(
        f"The versions that the database knows are not those of {classifier.store.root}. Use the data folder that belongs to the"
        " database: mount it, or restore it. If it is lost, `manage.py models adopt` takes this one."
    )


def verify_store() -> None:
    """Check that database and model store belong together. Raises what `lock_store` raises."""
    with lock_store():
        pass


def adopt_store(*, who: str = COMMAND_LINE) -> None:
    """Let the database belong to this store from now on. Processes that use another one are refused."""
    store = classifier.store
    with transaction.atomic():
        Store.objects.update_or_create(engine=store.engine.name, defaults={"identity": store.make_identity()})
        record_audit_entry(who=who, what="adopted", subject=str(store.root))
        record_versions()


def bootstrap_engine() -> Counter[str]:
    """Prepare a fresh installation: activate the shipped version, or import the starter tweets for an engine without one.

    A second call changes nothing. Return the counts of `import_labels`; empty if nothing was imported. Raises what `lock_store`
    raises.
    """
    verify_store()
    if name := bootstrap_shipped_version(classifier.store):
        logger.info("Version %s is the shipped engine.", name)
    record_versions()
    return Counter() if classifier.store.engine.is_shipped_ready else import_starter_tweets()


def record_versions() -> None:
    """Update the rows of versions from the model store, which alone says what is stored and active.

    Remove the folders of unfinished versions. Add a row for each new version, and an activation if the active version changed.
    Mark the rows of versions that are gone as pruned, and of those that are back as stored. Raises what `lock_store` raises.
    """
    store = classifier.store
    if Store.objects.filter(engine=store.engine.name).exists() and not store.root.exists():
        logger.warning("The model store %s is not there, so nothing is recorded.", store.root)
        return
    with lock_store():
        _record_versions(store)


def _record_versions(store: ModelStore) -> None:
    for name in store.sweep():
        logger.warning("Version %s was never finished, so it is removed.", name)
    stored = store.versions()
    pointer = classifier.pointer()
    newer = stored[stored.index(pointer.version) + 1 :] if pointer and pointer.version in stored else []
    known = set(ModelVersion.objects.filter(name__in=stored).values_list("name", flat=True))
    for name in stored:
        if name in known:
            continue
        try:
            # If it passed and an older version is active, it was held back.
            _record_version(store.manifest(name), is_held_back=name in newer)
        except VersionError as error:
            logger.warning("Left out of the list of versions: %s", error)
    if pointer:
        _record_activation(pointer)
    rows = ModelVersion.objects.filter(engine=store.engine.name)
    rows.filter(pruned_at=None).exclude(name__in=stored).update(pruned_at=timezone.now())
    rows.filter(name__in=stored).exclude(pruned_at=None).update(pruned_at=None)


def _record_version(manifest: Manifest, *, is_held_back: bool) -> None:
    gate = manifest["gate"]
    outcome = ModelVersion.Outcome.REFUSED
    if gate["passed"]:
        outcome = ModelVersion.Outcome.HELD_BACK if is_held_back else ModelVersion.Outcome.PROMOTED
    since = _find_creation_time(gate["rival"]) if gate["rival"] and not gate["passed"] else None
    ModelVersion.objects.get_or_create(
        name=manifest["version"],
        defaults={
            "created_at": datetime.fromisoformat(manifest["score"]["trained_at"]),
            "engine": manifest["engine"],
            "parent": manifest["parent"] or "",
            "outcome": outcome,
            "score": manifest["score"],
            "gate": gate,
            "most_new_labels": count_new_labels(since) if since else [],
            "set_aside": manifest.get("set_aside", []),
            "withdrawn": manifest.get("withdrawn", []),
        },
    )


def _find_creation_time(name: str) -> datetime | None:
    version = ModelVersion.objects.filter(name=name).first()
    return version.created_at if version else None


def _record_activation(pointer: Pointer) -> None:
    """Record an activation by the gate, unless it is recorded already. `activate_version` records those by hand."""
    version = ModelVersion.objects.filter(name=pointer.version).first()
    last = Activation.objects.filter(version__engine=classifier.store.engine.name).order_by("-id").first()
    if version and (last is None or last.version_id != version.id):
        Activation.objects.create(version=version, by=Activation.By.GATE, is_pinned=pointer.is_pinned)
        if version.outcome == ModelVersion.Outcome.HELD_BACK:
            version.outcome = ModelVersion.Outcome.PROMOTED
            version.save(update_fields=["outcome"])


def activate_version(*, name: str, who: str = COMMAND_LINE) -> Pointer:
    """Activate a version by hand, even a refused one; any but the newest is pinned.

    Raises
    ------
    VersionError
        The version cannot be served. Nothing was changed.
    """
    store = classifier.store
    store.load(name)
    with lock_store():
        record_versions()
        pointer = Pointer(name, name != store.versions()[-1])
        if classifier.pointer() != pointer:
            version = ModelVersion.objects.get(name=name)
            Activation.objects.create(version=version, by=Activation.By.HAND, is_pinned=pointer.is_pinned)
            record_audit_entry(who=who, what="activated", subject=name)
            store.activate(name, pin=pointer.is_pinned)
            logger.info("Version %s was activated by hand%s.", name, " and is pinned" if pointer.is_pinned else "")
    return pointer


def unpin_version() -> Pointer | None:
    """Unpin the active version, and return the pointer; `None` if no version is active."""
    classifier.store.unpin()
    return classifier.pointer()


def prune_versions() -> list[str]:
    """Delete old versions and return their names.

    Keep the last ten, those that trainings made and that were active in the last 90 days, and the anchor, which every new version
    is compared with.
    """
    with lock_store():
        record_versions()
        stored = classifier.store.versions()
        pointer = classifier.pointer()
        kept = {*stored[-KEPT_VERSIONS:], *selectors.find_recently_active_versions()}
        if pointer:
            kept |= {pointer.version, find_anchor(classifier.store, pointer.version) or pointer.version}
        pruned = [name for name in stored if name not in kept]
        for name in pruned:
            classifier.store.remove(name)
        ModelVersion.objects.filter(name__in=pruned).update(pruned_at=timezone.now())
    if pruned:
        logger.info("%d old versions were pruned.", len(pruned))
    return pruned
