"""Trainings and withdrawals, from the request to the outcome.

1. `queue_training` writes the run's row and sends its id to the workers.
2. `run_training`, in a worker, claims the run, trains, and records the outcome.
3. `queue_stalled_runs`, which beat calls, sends a run again if its lease has expired. The row decides, not the broker.
"""

import logging
import threading
import time
from contextlib import closing

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.evaluation.gate import Limits
from hate_speech_AI.forgetting import Forgetting
from hate_speech_AI.promotion import Training
from hate_speech_AI.training.progress import Progress, Steps
from hate_speech_AI.training.suspects import group_labels
from hate_speech_AI.withdrawals import WithdrawalLog

from ..access.audit import COMMAND_LINE, record_audit_entry
from ..labels import selectors as labels
from ..labels.services import set_aside_labels
from ..labels.sides import assign_sides
from . import selectors, services
from .lease import LEASE, LeaseLostError, claim_row, filter_expired_rows, release_expired_rows, renew_lease
from .models import ModelVersion, TrainingRun

logger = logging.getLogger(__name__)

# By name, so that the API does not import the project that runs it.
TRAINING_TASK = "hate_speech.tasks.auto_first_train_model"
# A run that kills its worker each time, by its memory say, must not kill workers for ever.
MAX_ATTEMPTS = 5


def request_training(*, who: str = COMMAND_LINE) -> tuple[TrainingRun, bool]:
    """Return the unfinished training, and whether it is new: one is created only if none is unfinished."""
    with transaction.atomic():
        run, is_new = _request_run(TrainingRun.Kind.TRAINING)
        if is_new:
            record_audit_entry(who=who, what="trained", subject=f"run {run.pk}")
    return run, is_new


def request_withdrawal() -> tuple[TrainingRun, bool]:
    """Return the unfinished run that takes withdrawn reviews out of the active version, and whether it is new."""
    return _request_run(TrainingRun.Kind.WITHDRAWAL)


def _request_run(kind: str) -> tuple[TrainingRun, bool]:
    while True:
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(kind=kind, lease_until=Now() + LEASE), True
        except IntegrityError:
            unfinished = selectors.find_unfinished_run(kind)
            if unfinished:
                return unfinished, False
            # It finished between the two statements: try again.


def queue_training(*, who: str = COMMAND_LINE) -> tuple[TrainingRun, bool]:
    """Request a training and send a new run to the workers. Return what `request_training` returns."""
    run, is_new = request_training(who=who)
    if is_new:
        send_run(run)
    return run, is_new


def queue_stalled_runs() -> None:
    """Send the unfinished runs to the workers again whose leases have expired."""
    for run in release_stalled_runs():
        send_run(run)


def send_run(run: TrainingRun) -> None:
    """Send a run to the workers."""
    try:
        current_app.send_task(TRAINING_TASK, [run.pk])
    except Exception as error:  # each broker has errors of its own
        # The row is stored, so beat's sweep sends it again once the broker is back.
        logger.warning(
            "%s run %d is queued, but the broker cannot be reached: %s", run.get_kind_display(), run.pk, type(error).__name__
        )


def release_stalled_runs() -> list[TrainingRun]:
    """Release the unfinished runs whose leases have expired, and return them; the caller queues them again.

    After `MAX_ATTEMPTS` attempts a run fails instead.
    """
    given_up = (
        filter_expired_rows(TrainingRun.objects.all())
        .filter(attempts__gte=MAX_ATTEMPTS)
        .update(
            is_finished=True,
            finished_at=Now(),
            stage=TrainingRun.Stage.FINISHED,
            outcome=TrainingRun.Outcome.FAILED,
            error=f"Given up: its worker died {MAX_ATTEMPTS} times. Look for a worker that runs out of memory.",
        )
    )
    if given_up:
        logger.error("A run was given up: its worker died %d times.", MAX_ATTEMPTS)
    released = release_expired_rows(TrainingRun.objects.all(), stage=TrainingRun.Stage.QUEUED)
    for run in released:
        logger.warning("%s run %d stalled after %d attempts and is queued again.", run.get_kind_display(), run.pk, run.attempts)
    return released


def run_nightly_training() -> None:
    """Run the nightly training: request a run, do it, and prune old versions."""
    run, _ = request_training(who="beat")
    run_training(run_id=run.pk)
    services.prune_versions()


def run_training(*, run_id: int) -> None:
    """Do training or withdrawal `run_id`, unless it is finished or another worker has it.

    1. Claim the run.
    2. If anything changed since the last version, make a new one, and renew the lease meanwhile.
    3. Record the outcome.
    4. If more was withdrawn meanwhile, queue a withdrawal.
    """
    mine = claim_row(
        TrainingRun.objects.filter(pk=run_id), stage=TrainingRun.Stage.READING, rows_total=labels.count_labelled_rows()
    )
    if mine is None:
        logger.info("Run %s is finished, or another worker's.", run_id)
        return
    run = mine.get()
    logger.info("%s run %d begins.", run.get_kind_display(), run_id)
    withdrawals_read = WithdrawalLog(classifier.store.root).measure()
    # An engine that cannot forget single reviews learns all others again.
    is_training = run.kind == TrainingRun.Kind.TRAINING or not classifier.store.engine.can_forget
    try:
        services.verify_store()
        services.record_versions()
        with renew_lease(mine) as lost:
            outcome = (_train_version if is_training else _forget_reviews)(mine, lost)
    except LeaseLostError:
        logger.warning("%s run %d was given to another worker.", run.get_kind_display(), run_id)
        return
    except HateSpeechError as error:
        outcome = {"outcome": TrainingRun.Outcome.FAILED, "error": str(error)}
    except Exception as error:
        # Only the type of the error: its message might quote a tweet.
        _finish_run(mine, {"outcome": TrainingRun.Outcome.FAILED, "error": type(error).__name__})
        raise
    _finish_run(mine, outcome)
    said = outcome.get("version") or outcome.get("error")
    logger.info("%s run %d: %s %s", run.get_kind_display(), run_id, outcome["outcome"], said)
    if not is_training:
        services.prune_versions()
    _queue_missed_withdrawal(run, withdrawals_read, outcome)


def _queue_missed_withdrawal(run: TrainingRun, withdrawals_read: int, outcome: dict[str, str]) -> None:
    """Queue a withdrawal if the version that is active after a run may know reviews that were withdrawn during it.

    So it may if another version was activated during a withdrawal.
    """
    pointer = classifier.pointer()
    is_overtaken = run.kind == TrainingRun.Kind.WITHDRAWAL and outcome["outcome"] == TrainingRun.Outcome.HELD_BACK
    if WithdrawalLog(classifier.store.root).measure() > withdrawals_read or (is_overtaken and pointer and not pointer.is_pinned):
        missed, is_new = request_withdrawal()
        if is_new:
            send_run(missed)


def _finish_run(mine: QuerySet[TrainingRun], outcome: dict[str, str]) -> None:
    mine.filter(is_finished=False).update(
        is_finished=True, stage=TrainingRun.Stage.FINISHED, finished_at=timezone.now(), **outcome
    )


def _train_version(mine: QuerySet[TrainingRun], lost: threading.Event) -> dict[str, str]:
    """Train and record a version, unless nothing changed since the last one; return "outcome" and "version".

    Raises `LeaseLostError` between two steps once another worker has the run. Nothing was activated then.
    """
    last, pointer = selectors.find_unchanged_version(), classifier.pointer()
    if last is None:
        assign_sides()
        limits = Limits(**settings.GATE_LIMITS)
        training = Training(
            classifier.store,
            labels.stream_labelled_rows(),
            recent=selectors.find_recent_rivals(limits.f1_loss),
            limits=limits,
            withdrawn=labels.find_withdrawn_labels(),
            read_without=lambda rows: labels.stream_labelled_rows(labels.find_ids_of(rows)),
        )
        _follow(training.run(), mine, lost)
        name = training.version
        _set_aside(training)
        classifier.cache_score()
    elif last.gate["passed"] and not last.activations.exists() and pointer and not pointer.is_pinned:
        # It passed, but its worker died or another version was pinned before it could be activated.
        name = last.name
        classifier.store.activate(name)
    else:
        return {"outcome": TrainingRun.Outcome.UNCHANGED, "version": last.name}
    services.record_versions()
    return {"outcome": ModelVersion.objects.get(name=name).outcome, "version": name}


def _forget_reviews(mine: QuerySet[TrainingRun], lost: threading.Event) -> dict[str, str]:
    """Make and record a version without the reviews that were withdrawn. Return and raise what `_train_version` does.

    Without any that the active version knows, nothing changes.
    """
    store, limits = classifier.store, Limits(**settings.GATE_LIMITS)
    withdrawals_read = WithdrawalLog(store.root).measure()
    pointer = store.pointer()
    if pointer is None:
        return {"outcome": TrainingRun.Outcome.UNCHANGED}
    parent = store.load(pointer.version)
    withdrawn, standing = labels.find_withdrawn_reviews(parent.reviews)
    if not withdrawn:
        return {"outcome": TrainingRun.Outcome.UNCHANGED, "version": parent.name}
    forgetting = Forgetting(
        store,
        parent,
        withdrawn=withdrawn,
        standing=standing,
        rows=labels.stream_labelled_rows(),
        withdrawals_read=withdrawals_read,
        recent=selectors.find_recent_rivals(limits.f1_loss),
        limits=limits,
    )
    _follow(forgetting.run(), mine, lost)
    classifier.cache_score()
    services.record_versions()
    return {"outcome": ModelVersion.objects.get(name=forgetting.version).outcome, "version": forgetting.version}


def _follow(steps: Steps[None], mine: QuerySet[TrainingRun], lost: threading.Event) -> None:
    """Run the steps to their end, and write their progress. Raise `LeaseLostError` between two once another has the run."""
    progress_row = _ProgressRow(mine)
    with closing(steps):
        for progress in steps:
            if lost.is_set() or not progress_row.write(progress):
                raise LeaseLostError


def _set_aside(training: Training) -> None:
    """Exclude the labels that a training set aside, and say so in the audit trail."""
    if not training.set_aside:
        return
    set_aside_labels(labels.find_ids_of(training.set_aside), version=training.version)
    for group in group_labels(row._replace(night="") for row in training.set_aside):
        key = f" by key {group['key']}" if group["key"] else ""
        subject = f"{group['labels']} labels of {group['source']}{key}"
        logger.warning("The training of version %s set aside %s: with them the gate refused it.", training.version, subject)
        record_audit_entry(who="gate", what="set aside", subject=subject[:200])


class _ProgressRow:
    """Writes progress into the run's row: each new stage at once, and within a stage once a second at most."""

    def __init__(self, mine: QuerySet[TrainingRun]):
        self._mine = mine
        self._stage, self._written_at = "", 0.0

    def write(self, progress: Progress) -> bool:
        """Write if it is due. Return False if another worker has the run."""
        if progress.stage == self._stage and time.monotonic() - self._written_at < 1:
            return True
        self._stage, self._written_at = progress.stage, time.monotonic()
        columns: dict[str, object] = {"stage": progress.stage} | ({"rows_read": progress.rows_read} if progress.rows_read else {})
        return bool(self._mine.update(**columns))
