"""Queries of versions and training runs."""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from hate_speech_AI.core import classifier
from hate_speech_AI.errors import VersionError

from ..labels.selectors import digest_rows
from .models import Activation, ModelVersion, TrainingRun

logger = logging.getLogger(__name__)

RECENTLY = timedelta(days=90)


def list_runs() -> QuerySet[TrainingRun]:
    """Return all runs, newest first."""
    return TrainingRun.objects.order_by("-id")


def find_unfinished_run(kind: str = TrainingRun.Kind.TRAINING) -> TrainingRun | None:
    """Return the queued or running run of a kind; `None` if there is none. There is never more than one."""
    return TrainingRun.objects.filter(is_finished=False, kind=kind).first()


def list_versions() -> QuerySet[ModelVersion]:
    """Return all versions, deleted ones too, newest first."""
    return ModelVersion.objects.prefetch_related("activations").order_by("-created_at", "-id")


def find_recently_active_versions() -> list[str]:
    """Return the names of the versions that were active in the last 90 days, by activation, newest first.

    Those that came of a withdrawal are left out: they have learned nothing, and there may be hundreds of them a day.
    """
    since = timezone.now() - RECENTLY
    activations = _list_activations().filter(version__withdrawn=[])
    names = list(activations.filter(activated_at__gte=since).values_list("version__name", flat=True))
    # The version that was active at the beginning of the 90 days.
    before = activations.filter(activated_at__lt=since).values_list("version__name", flat=True)[:1]
    return list(dict.fromkeys([*names, *before]))


def find_recent_rivals(f1_loss: float) -> list[str]:
    """Return those of `find_recently_active_versions` that a new version is compared with.

    The versions before a withdrawal that cost more F1 than `f1_loss` know what was taken back since. They are no standard for
    those that may not know it. A withdrawal that cost less lets them stand, or else taking back a trifle would be rid of them.
    """
    withdrawals = _list_activations().filter(activated_at__gte=timezone.now() - RECENTLY).exclude(version__withdrawn=[])
    columns = withdrawals.values_list("activated_at", "version__gate__slices")
    costly = (moment for moment, slices in columns.iterator(100) if _compute_f1_loss(slices) > f1_loss)
    last = next(costly, None)
    names = find_recently_active_versions()
    if last is None:
        return names
    since = set(_list_activations().filter(activated_at__gt=last).values_list("version__name", flat=True))
    return [name for name in names if name in since]


def _list_activations() -> QuerySet[Activation]:
    return Activation.objects.filter(version__engine=classifier.store.engine.name).order_by("-activated_at", "-id")


def _compute_f1_loss(slices: dict[str, Any]) -> float:
    return max((both["rival"]["f1"] - both["candidate"]["f1"] for both in slices.values()), default=0.0)


def find_previous_version() -> str | None:
    """Return the version that was active before the active one and is still stored; `None` if there is none."""
    stored = set(classifier.store.versions()) - {*(classifier.pointer() or ())}
    names = Activation.objects.order_by("-id").values_list("version__name", flat=True)
    return next((name for name in names if name in stored), None)


def find_unchanged_version() -> ModelVersion | None:
    """Return the newest version if a training would only repeat it; `None` if rows, parameters, format or rival have changed."""
    store = classifier.store
    names, pointer = store.versions(), classifier.pointer()
    if not names or pointer is None:
        return None
    try:
        manifest = store.manifest(names[-1])
        store.load(pointer.version)
    except VersionError as error:
        logger.warning("A training is due: %s", error)
        return None
    is_judged = pointer.version in (manifest["version"], manifest["parent"])
    if not is_judged or manifest["parameters"] != store.engine.parameters() or manifest["rows"]["digest"] != digest_rows():
        return None
    return ModelVersion.objects.get(name=manifest["version"])
