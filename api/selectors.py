"""All reads."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone
from kombu import Connection

from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError, VersionError
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import Row, RowsDigest

from .models import Activation, ApiKey, Label, LabelName, ModelVersion, Post, Suggestion, TrainingRun

logger = logging.getLogger(__name__)

RECENTLY = timedelta(days=90)
_PAGE = 5000


def labelled_rows() -> Iterator[Row]:
    """Stream every current label, name by name, each by fingerprint: an order that does not depend on who wrote first.

    The primary label comes first, as the digest of the rows needs it.
    """
    for name in LabelName.values:
        for _, *row in _current_labels(name, "tweet__text", "value", "source"):
            yield Row(*row, name)


def rows_digest() -> str:
    """Return the digest that a version trained on the present rows has in its manifest; the texts are not read."""
    digest = RowsDigest()
    for name in LabelName.values:
        for row in _current_labels(name, "value", "source"):
            digest.update(*row, name)
    return digest.hexdigest()


def _current_labels(name: str, *columns: str) -> Iterator[tuple]:
    """Yield the fingerprint and these columns of every current label of this name, by fingerprint.

    In pages, each a query of its own: a cursor held open for a whole training would be a read transaction of that length, within
    which SQLite refuses to write down the progress.
    """
    rows = Label.objects.filter(is_current=True, name=name).order_by("tweet__fingerprint")
    after = ""
    while page := list(rows.filter(tweet__fingerprint__gt=after).values_list("tweet__fingerprint", *columns)[:_PAGE]):
        yield from page
        after = page[-1][0]


def count_labelled_rows() -> int:
    """Return how many rows `labelled_rows` streams."""
    return Label.objects.filter(is_current=True).count()


def count_labelled(texts: list[str]) -> int:
    """Return how many of `texts` have a current label here."""
    keys = [fingerprint(text) for text in texts]
    return sum(
        Label.objects.filter(is_current=True, name=LabelName.HATE, tweet__fingerprint__in=keys[at : at + 500]).count()
        for at in range(0, len(keys), 500)
    )


def count_learned_before(texts: Iterable[str]) -> int:
    """Return how many of `texts` the shipped engine has learned from."""
    learned = classifier.store.engine.learned_before()
    return sum(fingerprint(text) in learned for text in texts)


def tweets_for_export() -> Iterator[tuple[int, bool, str]]:
    """Stream (id, is_hate_speech, text) of every tweet with its current label, oldest first."""
    rows = Label.objects.filter(is_current=True, name=LabelName.HATE).order_by("tweet_id")
    return rows.values_list("tweet_id", "value", "tweet__text").iterator(chunk_size=2000)


def training_run(run_id: int) -> TrainingRun:
    return TrainingRun.objects.get(pk=run_id)


def unfinished_run() -> TrainingRun | None:
    return TrainingRun.objects.filter(is_finished=False).first()


def labels_by(
    *, source: str = "", key: str = "", since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Label]:
    """Return the labels of a source and of a key, given from one moment until before another; each may be left out."""
    labels = Label.objects.all()
    if source:
        labels = labels.filter(source=source)
    if key:
        labels = labels.filter(key=key)
    if since:
        labels = labels.filter(created_at__gte=since)
    if until:
        labels = labels.filter(created_at__lt=until)
    return labels


def withdrawn_labels() -> set[tuple[str, bool]]:
    """Return (fingerprint, label) of what was set aside of hate and what nobody else says."""
    of_hate = Label.objects.filter(name=LabelName.HATE)
    withdrawn = of_hate.exclude(set_aside_at=None)
    current = of_hate.filter(is_current=True, tweet__labels__in=withdrawn)
    return set(withdrawn.values_list("tweet__fingerprint", "value")) - set(current.values_list("tweet__fingerprint", "value"))


def most_new_labels(since: datetime) -> list[dict]:
    """Return the sources, keys and hours (UTC) that brought most labels since a moment, with counts, most first."""
    groups = (
        Label.objects.filter(created_at__gt=since, set_aside_at=None)
        .annotate(hour=TruncHour("created_at"))
        .values("source", "key", "hour")
        .annotate(labels=Count("id"))
        .order_by("-labels", "-hour")[:10]
    )
    return [{**group, "hour": group["hour"].isoformat()} for group in groups]


def versions() -> QuerySet[ModelVersion]:
    """Return every version there ever was, newest first."""
    return ModelVersion.objects.prefetch_related("activations").order_by("-name")


def recently_active_versions() -> list[str]:
    """Return the names of the versions that were active at some time in the last 90 days, newest activation first."""
    since = timezone.now() - RECENTLY
    activations = Activation.objects.filter(version__engine=classifier.store.engine.name).order_by("-activated_at", "-id")
    names = list(activations.filter(activated_at__gte=since).values_list("version__name", flat=True))
    # The one that was active when those days began.
    before = activations.filter(activated_at__lt=since).values_list("version__name", flat=True)[:1]
    return list(dict.fromkeys([*names, *before]))


def previous_version() -> str | None:
    """Return the version that was active before the present one and is still there."""
    there = set(classifier.store.versions()) - {*(classifier.pointer() or ())}
    names = Activation.objects.order_by("-id").values_list("version__name", flat=True)
    return next((name for name in names if name in there), None)


def version_of_the_same_rows() -> ModelVersion | None:
    """Return the newest version if a training now would only make it again: same rows, parameters, format and rival."""
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
    if not is_judged or manifest["parameters"] != store.engine.parameters() or manifest["rows"]["digest"] != rows_digest():
        return None
    return ModelVersion.objects.get(name=manifest["version"])


def valid_key(digest: str) -> ApiKey | None:
    """Return the key of this sha256, unless it was revoked."""
    return ApiKey.objects.filter(digest=digest, revoked_at=None).first()


def api_keys() -> QuerySet[ApiKey]:
    return ApiKey.objects.order_by("name")


def waiting_suggestions() -> QuerySet[Suggestion]:
    """Return what keys without trust said and nobody has decided on, oldest first."""
    return Suggestion.objects.filter(decided_at=None).select_related("tweet").order_by("id")


def posts_to_review() -> QuerySet[Post]:
    """Return the posts that nobody has decided on yet, most uncertain first."""
    decided = Label.objects.filter(is_current=True, name=LabelName.HATE).values("tweet")
    return Post.objects.exclude(tweet__in=decided).select_related("tweet").order_by("-uncertainty", "id")


def readiness() -> dict[str, str]:
    """Return "ok", or in a few words what is wrong, for each part that the service needs."""
    return {"database": _database(), "broker": _broker(), "model": _model()}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return "not reachable"
    return "ok"


def _broker() -> str:
    try:
        with Connection(
            settings.CELERY_BROKER_URL, connect_timeout=1, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=1, interval_start=0)
            broker.default_channel  # noqa: B018  (opening it is what talks to Redis)
    except Exception:
        return "not reachable"
    return "ok"


def _model() -> str:
    try:
        classifier.predict(["ready?"])
    except HateSpeechError:
        return "missing"
    return "ok"
