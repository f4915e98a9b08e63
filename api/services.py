"""All writes: labels, training runs, model versions and posts."""

import csv
import hashlib
import logging
import secrets
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

import hate_speech_AI
from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.errors import HateSpeechError, VersionError
from hate_speech_AI.evaluation.gate import Limits
from hate_speech_AI.labels import infer_labels
from hate_speech_AI.promotion import Training, bootstrap_shipped_version
from hate_speech_AI.store import Pointer
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.progress import Progress
from hate_speech_AI.training.rows import is_review

from . import selectors
from .feeds import FoundPost
from .models import Activation, ApiKey, AuditEntry, Label, LabelName, ModelVersion, Post, Suggestion, TrainingRun, Tweet

logger = logging.getLogger(__name__)

STARTER_TWEETS = Path(hate_speech_AI.__file__).parent / "data" / "train.csv"

# A run that nobody renews for this long is queued again; beat looks every 20 s, so a dead worker costs under a minute.
LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 5
# A run that kills its worker each time (out of memory, say) must not kill workers for ever.
MAX_ATTEMPTS = 5
KEPT_VERSIONS = 10
_BATCH = 500
# Who it is in the audit trail where no request and no page asks.
COMMAND_LINE = "command line"


class LabelledText(NamedTuple):
    """A text to be labelled: whether it is what `name` says; and where it stands in what it comes from."""

    text: str
    value: bool
    reference: str = ""
    name: str = LabelName.HATE


class LeaseLostError(Exception):
    """Another worker has been given this run: this one is to stop."""


# --- labels ---


def add_review(*, text: str, is_hate_speech: bool, key: str = "", is_trusted: bool = True) -> None:
    """Record what a person says of `text`; without trust it waits for a moderator."""
    _review([LabelledText(text, is_hate_speech)], Label.REVIEW, key, is_trusted)


@transaction.atomic
def add_feedback(
    *, rows: list[LabelledText], source: str, comment: tuple[str, str] | None, key: str = "", is_trusted: bool = True
) -> None:
    """Record what a client's moderators say of a comment, in the place of what they said of it before.

    Parameters
    ----------
    rows : list of LabelledText
        Of the comment's text, or of parts of it.
    source : str
        How it came; the labels are reviews.
    comment : (str, str), optional
        The client's community and its name for the comment. Said again of the same comment, which may have been edited since,
        it replaces what this key said: the latest decision counts.
    """
    source = f"{Label.REVIEW}:{source}"
    if comment:
        reference = hashlib.sha256("\0".join((key, *comment)).encode()).hexdigest()
        rows = [row._replace(reference=reference) for row in rows]
        edited_away = {"reference": reference, "source": source, "key": key}
        said_now = [fingerprint(row.text) for row in rows]
        set_aside_labels(Label.objects.filter(**edited_away).exclude(tweet__fingerprint__in=said_now))
        waiting = Suggestion.objects.filter(decided_at=None, **edited_away).exclude(tweet__fingerprint__in=said_now)
        waiting.update(decided_at=timezone.now(), is_accepted=False)
    _review(rows, source, key, is_trusted)


def _review(rows: list[LabelledText], source: str, key: str, is_trusted: bool) -> None:
    if is_trusted:
        _record_labels(rows, source=source, key=key)
    else:
        _suggest(rows, source, key)


@transaction.atomic
def _suggest(rows: list[LabelledText], source: str, key: str) -> None:
    texts = {fingerprint(row.text): row.text for row in rows}
    tweets = {tweet.fingerprint: tweet for tweet in _locked_tweets(texts)}
    for row in rows:
        # The latest thing that a key says of a tweet is what it says.
        Suggestion.objects.update_or_create(
            tweet=tweets[fingerprint(row.text)],
            name=row.name,
            key=key,
            decided_at=None,
            defaults={"value": row.value, "source": source, "reference": row.reference},
        )


def decide_suggestions(*, suggestions: QuerySet[Suggestion], is_accepted: bool, who: str) -> int:
    """Let suggestions that wait count as reviews, or turn them down; return how many."""
    with transaction.atomic():
        waiting = list(suggestions.filter(decided_at=None).select_related("tweet").select_for_update(of=("self",)))
        said: dict[tuple[str, str], list[LabelledText]] = {}
        for one in waiting:
            said.setdefault((one.key, one.source), []).append(LabelledText(one.tweet.text, one.value, one.reference, one.name))
        if is_accepted:
            for (key, source), rows in said.items():
                _record_labels(rows, source=source, key=key)
        Suggestion.objects.filter(id__in=[suggestion.id for suggestion in waiting]).update(
            decided_at=timezone.now(), is_accepted=is_accepted
        )
        for (key, _), rows in said.items():
            note(who=who, what="accepted" if is_accepted else "turned down", subject=f"{len(rows)} suggestions of key {key}")
    return len(waiting)


def set_aside_labels(labels: QuerySet[Label]) -> int:
    """Keep labels out of every later training, and return how many: each tweet's label before them becomes current again."""
    return _set_aside(labels.filter(set_aside_at=None), timezone.now())


def restore_labels(labels: QuerySet[Label]) -> int:
    """Undo `set_aside_labels`, and return how many labels count again."""
    return _set_aside(labels.exclude(set_aside_at=None), None)


@transaction.atomic
def _set_aside(labels: QuerySet[Label], moment: datetime | None) -> int:
    """Write the moment, or `None`, into `labels` and choose anew which label of their tweets is current."""
    chosen = labels.order_by("tweet__fingerprint").values_list("id", "tweet_id")
    count = 0
    # All ids are read before the first is changed: a change takes a label out of the query.
    for batch in _batched(list(chosen)):
        # Locked in the order in which `_record_labels` locks.
        tweets = list(Tweet.objects.select_for_update().filter(id__in={tweet for _, tweet in batch}).order_by("fingerprint"))
        Label.objects.filter(tweet__in=tweets, is_current=True).update(is_current=False)
        count += Label.objects.filter(id__in=[label for label, _ in batch]).update(set_aside_at=moment)
        current: dict[tuple[int, str], tuple] = {}
        for label in Label.objects.filter(tweet__in=tweets, set_aside_at=None).only("tweet_id", "name", "source"):
            rank = (is_review(label.source), label.id)
            of = label.tweet_id, label.name
            current[of] = max(rank, current.get(of, rank))
        Label.objects.filter(id__in=[label for _, label in current.values()]).update(is_current=True)
    return count


def import_labels(*, rows: Iterable[LabelledText | tuple], source: str) -> Counter:
    """Record labelled texts as `source` says them, in transactions of some hundred rows.

    Plain tuples of a text and a label will do.

    Returns the counts of "new" tweets, tweets whose label was "changed", and tweets "unchanged", a review's among them.
    """
    counts: Counter = Counter()
    for batch in _batched(LabelledText(*row) for row in rows):
        counts += _record_labels(batch, source=source)
    return counts


def import_dataset(*, rows: Iterable[LabelledText], source: str) -> Counter:
    """Record a whole dataset in one transaction: all of it, or nothing; returns what `import_labels` does."""
    with transaction.atomic():
        return import_labels(rows=rows, source=source)


def begin() -> Counter:
    """Give the engine what it begins with; returns what `import_labels` does of the starter tweets that were brought in.

    Engine encoder is shipped ready: its first version is active when this returns. Engine linear has nothing to learn from at
    first: the starter tweets are brought into the database, unless that was done before.
    """
    if classifier.store.engine.is_shipped_ready:
        if name := bootstrap_shipped_version(classifier.store):
            logger.info("Version %s is the engine as it is shipped.", name)
        record_versions()
        return Counter()
    record_versions()
    return _import_starter_tweets()


def _import_starter_tweets() -> Counter:
    if Label.objects.filter(source=Label.STARTER).exists():
        return Counter()
    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file, transaction.atomic():
        rows = [(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)]
        return import_labels(rows=rows, source=Label.STARTER)


def _outranks(source: str, row: LabelledText, current: Label | None) -> bool:
    """Return whether a label replaces `current`: a review replaces an import, and among equals the latest that differs.

    A review of another comment is kept also if it says the same of the same text: the other comment may be edited.
    """
    if current is None:
        return True
    if is_review(source) != is_review(current.source):
        return is_review(source)
    return row.value != current.value or (is_review(source) and row.reference not in ("", current.reference))


def _locked_tweets(texts: dict[str, str]) -> list[Tweet]:
    """Return the tweets of these texts by fingerprint, made where there are none, their rows locked for this transaction."""
    # In one order everywhere, so that two writers of the same texts wait for each other instead of deadlocking.
    texts = dict(sorted(texts.items()))
    Tweet.objects.bulk_create([Tweet(fingerprint=digest, text=text) for digest, text in texts.items()], ignore_conflicts=True)
    tweets = Tweet.objects.select_for_update().filter(fingerprint__in=texts).order_by("fingerprint")
    return list(tweets.only("id", "fingerprint"))


@transaction.atomic
def _record_labels(rows: list[LabelledText], *, source: str, key: str = "") -> Counter:
    """Record one label of a name for each text in one transaction; of two for one text the last counts.

    A label of the same tweet that contradicts it, by what its name implies, gives way with it.
    """
    said = {(fingerprint(row.text), row.name): row for row in rows}
    # The row lock makes the next steps one, also for another writer of the same text. SQLite has locked all by now.
    tweets = {tweet.fingerprint: tweet for tweet in _locked_tweets({digest: row.text for (digest, _), row in said.items()})}
    current = {(label.tweet_id, label.name): label for label in Label.objects.filter(tweet__in=tweets.values(), is_current=True)}
    labels, replaced, unchanged = [], [], 0
    for (digest, name), row in said.items():
        tweet = tweets[digest]
        before = current.get((tweet.id, name))
        said_here = {"tweet": tweet, "value": row.value, "source": source, "reference": row.reference[:100], "key": key}
        if not _outranks(source, row, before):
            unchanged += 1
            continue
        labels.append(Label(name=name, **said_here))
        replaced += [before.id] if before else []
        for other in infer_labels(name, row.value):
            contrary = current.get((tweet.id, other))
            if (digest, other) not in said and contrary and contrary.value != row.value and _outranks(source, row, contrary):
                labels.append(Label(name=other, **said_here))
                replaced.append(contrary.id)
    if replaced:
        Label.objects.filter(id__in=replaced).update(is_current=False)
    Label.objects.bulk_create(labels)
    return Counter(new=len(labels) - len(replaced), changed=len(replaced), unchanged=unchanged)


# --- training runs ---


def request_training(*, who: str = COMMAND_LINE) -> tuple[TrainingRun, bool]:
    """Return the run that is to happen and whether it is new: while one is unfinished, everybody joins it."""
    while True:
        try:
            with transaction.atomic():
                run = TrainingRun.objects.create(lease_until=Now() + LEASE)
                note(who=who, what="trained", subject=f"run {run.pk}")
                return run, True
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
        stage=TrainingRun.Stage.FINISHED,
        outcome=TrainingRun.Outcome.FAILED,
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
    2. Unless nothing changed since the last version, train on every labelled row, renewing the lease meanwhile; judge and save
       the version, and activate it if it passed.
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
    finished = {"is_finished": True, "stage": TrainingRun.Stage.FINISHED}
    try:
        record_versions()
        with _renewed(run_id, worker) as lost:
            outcome = _train(_reporter(run_id, worker, lost))
    except LeaseLostError:
        logger.warning("Training run %d was given to another worker.", run_id)
        return
    except HateSpeechError as error:
        outcome = {"outcome": TrainingRun.Outcome.FAILED, "error": str(error)}
    except Exception as error:
        # Only the kind: a message might quote a tweet.
        failed = {"outcome": TrainingRun.Outcome.FAILED, "error": type(error).__name__}
        mine.update(finished_at=timezone.now(), **finished, **failed)
        raise
    mine.update(finished_at=timezone.now(), **finished, **outcome)
    logger.info("Training run %d: %s %s", run_id, outcome["outcome"], outcome.get("version") or outcome.get("error"))


def _train(keep: Callable[[Progress], bool]) -> dict[str, str]:
    """Train, judge and record a version, or find that there is nothing to do; return "outcome" and "version"."""
    last = selectors.version_of_the_same_rows()
    if last is None:
        training = Training(
            classifier.store,
            selectors.labelled_rows(),
            recent=selectors.recently_active_versions(),
            limits=Limits(**settings.GATE_LIMITS),
            withdrawn=selectors.withdrawn_labels(),
        )
        with closing(training.run()) as steps:
            for progress in steps:
                if not keep(progress):
                    raise LeaseLostError
        name = training.version
        if classifier.pointer():
            classifier.get_score()  # into the cache
    elif last.gate["passed"] and not last.activations.exists() and not classifier.pointer().is_pinned:
        # Its worker died, or another was pinned, before it could take its place.
        name = last.name
        classifier.store.activate(name)
    else:
        return {"outcome": TrainingRun.Outcome.UNCHANGED, "version": last.name}
    record_versions()
    return {"outcome": ModelVersion.objects.get(name=name).outcome, "version": name}


def _reporter(run_id: int, worker: str, lost: threading.Event):
    """Return a function that writes progress into the run's row, once a second at most, and tells whether the run is ours."""
    written = {"stage": TrainingRun.Stage.READING, "at": time.monotonic()}

    def keep(progress: Progress) -> bool:
        stage, rows_read = progress
        if lost.is_set():
            return False
        if stage == written["stage"] and time.monotonic() - written["at"] < 1:
            return True
        written.update(stage=stage, at=time.monotonic())
        changed = {"stage": stage} | ({"rows_read": rows_read} if rows_read else {})
        return bool(TrainingRun.objects.filter(pk=run_id, worker=worker).update(**changed))

    return keep


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


# --- model versions ---


def record_versions() -> None:
    """Bring the rows of versions in line with the model store, which alone says what there is and what is active.

    Folders that were never finished are removed; versions without a row get one, with their activation if they are active; rows
    of versions that are gone are marked.
    """
    store = classifier.store
    for name in store.sweep():
        logger.warning("Version %s was never finished and is removed.", name)
    there = store.versions()
    pointer = classifier.pointer()
    known = set(ModelVersion.objects.filter(name__in=there).values_list("name", flat=True))
    for name in there:
        if name in known:
            continue
        try:
            # It passed and something older is active: it was held back.
            _record_version(store.manifest(name), is_held_back=bool(pointer and pointer.version < name))
        except VersionError as error:
            logger.warning("Left out of the list of versions: %s", error)
    if pointer:
        _record_activation(pointer)
    of_this_engine = ModelVersion.objects.filter(engine=store.engine.name)
    of_this_engine.filter(pruned_at=None).exclude(name__in=there).update(pruned_at=timezone.now())


def _record_version(manifest: dict, *, is_held_back: bool) -> None:
    gate = manifest["gate"]
    outcome = ModelVersion.Outcome.REFUSED
    if gate["passed"]:
        outcome = ModelVersion.Outcome.HELD_BACK if is_held_back else ModelVersion.Outcome.PROMOTED
    since = _trained_at(gate["rival"]) if not gate["passed"] else None
    ModelVersion.objects.get_or_create(
        name=manifest["version"],
        defaults={
            "created_at": datetime.fromisoformat(manifest["score"]["trained_at"]),
            "engine": manifest["engine"],
            "parent": manifest["parent"] or "",
            "outcome": outcome,
            "score": manifest["score"],
            "gate": gate,
            "most_new_labels": selectors.most_new_labels(since) if since else [],
        },
    )


def _trained_at(name: str) -> datetime | None:
    version = ModelVersion.objects.filter(name=name).first()
    return version and version.created_at


def _record_activation(pointer: Pointer) -> None:
    """Write down that the pointer moved, unless that is known; who moves it by hand writes it down at once."""
    version = ModelVersion.objects.filter(name=pointer.version).first()
    last = Activation.objects.filter(version__engine=classifier.store.engine.name).order_by("-id").first()
    if version and (last is None or last.version_id != version.id):
        Activation.objects.create(version=version, by=Activation.By.GATE, is_pinned=pointer.is_pinned)
        if version.outcome == ModelVersion.Outcome.HELD_BACK:
            version.outcome = ModelVersion.Outcome.PROMOTED
            version.save(update_fields=["outcome"])


def activate_version(*, name: str, who: str = COMMAND_LINE) -> Pointer:
    """Activate a version by hand, a refused one too; any but the newest is pinned.

    Raises
    ------
    VersionError
        It cannot be served; nothing has changed.
    """
    store = classifier.store
    store.load(name)
    record_versions()
    pointer = classifier.pointer()
    if pointer is None or pointer.version != name:
        is_pinned = name != store.versions()[-1]
        version = ModelVersion.objects.get(name=name)
        with transaction.atomic():
            Activation.objects.create(version=version, by=Activation.By.HAND, is_pinned=is_pinned)
            note(who=who, what="activated", subject=name)
            store.activate(name, pin=is_pinned)
        logger.info("Version %s was activated by hand%s.", name, " and is pinned" if is_pinned else "")
    return store.pointer()


def prune_versions() -> list[str]:
    """Delete all versions but the last ten, and those active in the last 90 days; return the names of the deleted."""
    record_versions()
    there = classifier.store.versions()
    pointer = classifier.pointer()
    kept = {*there[-KEPT_VERSIONS:], *selectors.recently_active_versions(), *(pointer or ())}
    pruned = [name for name in there if name not in kept]
    for name in pruned:
        classifier.store.remove(name)
    ModelVersion.objects.filter(name__in=pruned).update(pruned_at=timezone.now())
    if pruned:
        logger.info("%d old versions were pruned.", len(pruned))
    return pruned


# --- keys ---


def create_key(
    *,
    name: str,
    scopes: Iterable[str],
    who: str,
    is_trusted: bool = False,
    rate: int | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make an API key and return it: 256 random bits, which are shown this once.

    Raises
    ------
    IntegrityError
        There is a key of that name.
    """
    key = f"hs_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        ApiKey.objects.create(
            name=name, digest=digest_of(key), scopes=sorted(scopes), is_trusted=is_trusted, rate=rate, expires_at=expires_at
        )
        note(who=who, what="created key", subject=name)
    return key


def revoke_keys(*, keys: QuerySet[ApiKey], who: str) -> int:
    """Let keys count no longer, and return how many; processes that know one forget it within 30 seconds."""
    with transaction.atomic():
        valid = list(keys.filter(revoked_at=None))
        for key in valid:
            note(who=who, what="revoked key", subject=key.name)
        return ApiKey.objects.filter(id__in=[key.id for key in valid]).update(revoked_at=timezone.now())


def digest_of(key: str) -> str:
    """Return what is stored of a key: its bits are random, so one sha256 is enough, where a password needs a slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def note_use(key: ApiKey) -> None:
    """Write down that a key was used, at most once a minute."""
    before = timezone.now() - timedelta(minutes=1)
    if key.last_used_at is None or key.last_used_at < before:
        ApiKey.objects.filter(id=key.id).update(last_used_at=timezone.now())


def note(*, who: str, what: str, subject: str) -> None:
    """Add to the audit trail."""
    AuditEntry.objects.create(who=who[:200], what=what, subject=subject[:200])


# --- posts ---


def add_posts(*, posts: Iterable[FoundPost], feed: str) -> Counter:
    """Put texts out of a feed on the list of posts to review, scored by the active version; known texts are passed over.

    Returns the counts of "new" posts and of those "known".
    """
    counts: Counter = Counter()
    for batch in _batched(posts):
        counts += _add_posts(batch, feed)
    return counts


@transaction.atomic
def _add_posts(batch: list[FoundPost], feed: str) -> Counter:
    found = dict(sorted((fingerprint(post.text), post) for post in batch))
    known = set(Tweet.objects.filter(fingerprint__in=found).values_list("fingerprint", flat=True))
    new = {key: post for key, post in found.items() if key not in known}
    if new:
        verdicts = classifier.predict([post.text for post in new.values()])
        tweets = Tweet.objects.bulk_create([Tweet(fingerprint=key, text=post.text) for key, post in new.items()])
        Post.objects.bulk_create(
            Post(
                tweet=tweet,
                feed=feed[:500],
                link=post.link[:1000],
                is_hate_speech=verdict.is_hate_speech,
                probability=verdict.probability,
                uncertainty=_uncertainty(verdict),
                version=verdict.version,
            )
            for tweet, post, verdict in zip(tweets, new.values(), verdicts, strict=True)
        )
    return Counter(new=len(new), known=len(batch) - len(new))


def _uncertainty(verdict: Prediction) -> float:
    """Return 1 for a probability at the threshold, falling to 0 at certainty on either side."""
    side = 1 - verdict.threshold if verdict.is_hate_speech else verdict.threshold
    return 1 - abs(verdict.probability - verdict.threshold) / side


def review_posts(*, posts: QuerySet[Post], is_hate_speech: bool) -> int:
    """Record a person's decision on posts, take them off the list, and return how many there were."""
    with transaction.atomic():
        rows = list(posts.values_list("id", "tweet__text"))
        for batch in _batched(rows):
            _record_labels([LabelledText(text, is_hate_speech) for _, text in batch], source=Label.REVIEW)
        Post.objects.filter(id__in=[id_ for id_, _ in rows]).delete()
    return len(rows)


def _batched(rows: Iterable) -> Iterator[list]:
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch
