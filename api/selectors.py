"""All reads."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from kombu import Connection

from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.training import Row

from .models import Label, TrainingRun

_PAGE = 5000


def labelled_rows() -> Iterator[Row]:
    """Stream every tweet with its current label, by fingerprint: an order that does not depend on who wrote first.

    In pages, each a query of its own: a cursor held open for a whole training would be a read transaction of that length, within
    which SQLite refuses to write down the progress.
    """
    rows = Label.objects.filter(is_current=True).order_by("tweet__fingerprint")
    after = ""
    while page := list(
        rows.filter(tweet__fingerprint__gt=after).values_list("tweet__text", "is_hate_speech", "source", "tweet__fingerprint")[
            :_PAGE
        ]
    ):
        yield from (Row(*row[:3]) for row in page)
        after = page[-1][3]


def count_labelled_rows() -> int:
    return Label.objects.filter(is_current=True).count()


def tweets_for_export() -> Iterator[tuple[int, bool, str]]:
    """Stream (id, is_hate_speech, text) of every tweet with its current label, oldest first."""
    rows = Label.objects.filter(is_current=True).order_by("tweet_id")
    return rows.values_list("tweet_id", "is_hate_speech", "tweet__text").iterator(chunk_size=2000)


def training_run(run_id: int) -> TrainingRun:
    return TrainingRun.objects.get(pk=run_id)


def unfinished_run() -> TrainingRun | None:
    return TrainingRun.objects.filter(is_finished=False).first()


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
