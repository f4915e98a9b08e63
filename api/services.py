"""All writes: labels and training runs."""

import csv
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

import hate_speech_AI
from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.text import fingerprint

from . import selectors
from .models import Label, TrainingRun, Tweet

logger = logging.getLogger(__name__)

STARTER_TWEETS = Path(hate_speech_AI.__file__).parent / "data" / "train.csv"

# A run that nobody renews for this long is queued again; beat looks every 20 s, so a dead worker costs under a minute.
LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 5
# A run that kills its worker each time (out of memory, say) must not kill workers for ever.
MAX_ATTEMPTS = 5
_BATCH = 500


class LeaseLostError(Exception):
    """Another worker has been given this run: this one is to stop."""


# --- labels ---


def add_review(*, text: str, is_hate_speech: bool) -> None:
    """Record what a person says of `text`."""
    _record_labels([(text, is_hate_speech)], source=Label.REVIEW)


def import_labels(*, rows: Iterable[tuple[str, bool]], source: str) -> Counter:
    """Record labelled texts as `source` says them, in transactions of some hundred rows.

    Returns the counts of "new" tweets, tweets whose label was "changed", and tweets "unchanged", a review's among them.
    """
    counts: Counter = Counter()
    for batch in _batched(rows):
        counts += _record_labels(batch, source=source)
    return counts


def import_starter_tweets() -> Counter:
    """Bring the shipped starter tweets into the database, unless that was done before."""
    if Label.objects.filter(source=Label.STARTER).exists():
        return Counter()
    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file, transaction.atomic():
        rows = [(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)]
        return import_labels(rows=rows, source=Label.STARTER)


def _outranks(source: str, is_hate_speech: bool, current: Label | None) -> bool:
    """Return whether a label replaces `current`: a review replaces an import, and among equals the latest that differs."""
    if current is None:
        return True
    if (source == Label.REVIEW) != (current.source == Label.REVIEW):
        return source == Label.REVIEW
    return is_hate_speech != current.is_hate_speech


@transaction.atomic
def _record_labels(rows: list[tuple[str, bool]], *, source: str) -> Counter:
    """Record one label for each text in one transaction; of two for one text the last counts."""
    # In one order everywhere, so that two writers of the same texts wait for each other instead of deadlocking.
    said = dict(sorted((fingerprint(text), (text, is_hate_speech)) for text, is_hate_speech in rows))
    Tweet.objects.bulk_create([Tweet(fingerprint=key, text=text) for key, (text, _) in said.items()], ignore_conflicts=True)
    # The row lock makes the next two steps one, also for another writer of the same text. SQLite has locked all by now.
    tweets = list(
        Tweet.objects.select_for_update().filter(fingerprint__in=said).order_by("fingerprint").only("id", "fingerprint")
    )
    current = {label.tweet_id: label for label in Label.objects.filter(tweet__in=tweets, is_current=True)}
    labels, replaced = [], []
    for tweet in tweets:
        is_hate_speech = said[tweet.fingerprint][1]
        before = current.get(tweet.id)
        if _outranks(source, is_hate_speech, before):
            labels.append(Label(tweet_id=tweet.id, is_hate_speech=is_hate_speech, source=source))
            if before:
                replaced.append(before.id)
    if replaced:
        Label.objects.filter(id__in=replaced).update(is_current=False)
    Label.objects.bulk_create(labels)
    return Counter(new=len(labels) - len(replaced), changed=len(replaced), unchanged=len(tweets) - len(labels))


# --- training runs ---


def request_training() -> tuple[TrainingRun, bool]:
    """Return the run that is to happen and whether it is new: while one is unfinished, everybody joins it."""
    while True:
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(lease_until=Now() + LEASE), True
        except IntegrityError:
            unfinished = selectors.unfinished_run()
            if unfinished:
                return unfinished, False
            # It ended between the two statements: ask again.


def release_stalled_runs() -> list[TrainingRun]:
    """Take the unfinished run from a worker that no longer renews its lease; return it, to be queued again.

    A run that was tried `MAX_ATTEMPTS` times fails instead.
    """
    stalled = TrainingRun.objects.filter(is_finished=False, lease_until__lt=Now())
    given_up = stalled.filter(attempts__gte=MAX_ATTEMPTS).update(
        is_finished=True,
        finished_at=Now(),
        stage=TrainingRun.Stage.FAILED,
        error=f"Given up: its worker died {MAX_ATTEMPTS} times. Look for a worker that runs out of memory.",
    )
    if given_up:
        logger.error("A training run was given up: its worker died %d times.", MAX_ATTEMPTS)
    released = []
    for run in stalled:
        # The condition again: another sweep may have been here first.
        if stalled.filter(pk=run.pk).update(worker="", lease_until=Now() + LEASE, stage=TrainingRun.Stage.QUEUED):
            logger.warning("Training run %d stalled after %d attempts and is queued again.", run.pk, run.attempts)
            released.append(run)
    return released


def run_training(*, run_id: int) -> None:
    """Do training run `run_id`, unless another worker does it or it is finished.

    1. Claim the run: of all workers that try, one gets it.
    2. Train on every labelled row, renewing the lease meanwhile; save and activate the version.
    3. Write the outcome down.
    """
    worker = uuid.uuid4().hex
    mine = TrainingRun.objects.filter(pk=run_id, worker=worker, is_finished=False)
    claimed = TrainingRun.objects.filter(pk=run_id, worker="", is_finished=False).update(
        worker=worker,
        attempts=F("attempts") + 1,
        lease_until=Now() + LEASE,
        stage=TrainingRun.Stage.READING,
        rows_total=selectors.count_labelled_rows(),
    )
    if not claimed:
        logger.info("Training run %s is finished, or another worker's.", run_id)
        return
    logger.info("Training run %d begins.", run_id)
    try:
        with _renewed(run_id, worker) as lost:
            version = classifier.train_model(selectors.labelled_rows(), _reporter(run_id, worker, lost))
        outcome = {"stage": TrainingRun.Stage.SUCCEEDED, "version": version}
    except LeaseLostError:
        logger.warning("Training run %d was given to another worker.", run_id)
        return
    except HateSpeechError as error:
        outcome = {"stage": TrainingRun.Stage.FAILED, "error": str(error)}
    except Exception as error:
        # Only the kind: a message might quote a tweet.
        mine.update(is_finished=True, finished_at=timezone.now(), stage=TrainingRun.Stage.FAILED, error=type(error).__name__)
        raise
    mine.update(is_finished=True, finished_at=timezone.now(), **outcome)
    logger.info("Training run %d: %s %s", run_id, outcome["stage"], outcome.get("version") or outcome.get("error"))


def _reporter(run_id: int, worker: str, lost: threading.Event):
    """Return the callback that keeps the run's row up to date, once a second at most, and stops a run that was lost."""
    written = {"stage": TrainingRun.Stage.READING, "at": time.monotonic()}

    def report(stage: str, rows_read: int) -> None:
        if lost.is_set():
            raise LeaseLostError
        if stage == written["stage"] and time.monotonic() - written["at"] < 1:
            return
        written.update(stage=stage, at=time.monotonic())
        progress = {"stage": stage} | ({"rows_read": rows_read} if rows_read else {})
        if not TrainingRun.objects.filter(pk=run_id, worker=worker).update(**progress):
            raise LeaseLostError

    return report


@contextmanager
def _renewed(run_id: int, worker: str) -> Iterator[threading.Event]:
    """Renew the run's lease in a thread until the block ends; the event is set if the run has become another worker's."""
    done, lost = threading.Event(), threading.Event()

    def renew():
        while not done.wait(_RENEW_SECONDS):
            try:
                if not TrainingRun.objects.filter(pk=run_id, worker=worker).update(lease_until=Now() + LEASE):
                    lost.set()
                    break
            except Exception:
                # A database that is away for a moment; the lease lasts for several tries.
                logger.warning("The lease of training run %d could not be renewed.", run_id, exc_info=True)
                connection.close()
        connection.close()

    thread = threading.Thread(target=renew, name="renew-training-lease")
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()


def _batched(rows: Iterable) -> Iterator[list]:
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch
