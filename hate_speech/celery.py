"""The Celery app; its settings are Django's that begin with CELERY_."""

import sys
from collections.abc import Callable

from celery import Celery
from celery.signals import beat_init, celeryd_init, heartbeat_sent, worker_init
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

from .start import prepare_process, refuse_foreign_store

TRANSPORT_ALIASES["filesystem"] = "hate_speech.file_queue:Transport"

app = Celery("hate_speech")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By name: this package is not an installed app, so autodiscovery would not find its tasks.
app.autodiscover_tasks(["hate_speech"])


@celeryd_init.connect
@beat_init.connect
def prepare_worker_or_beat(**kwargs: object) -> None:
    _prepare(prepare_process)


@worker_init.connect
def check_workers_store(**kwargs: object) -> None:
    _prepare(refuse_foreign_store)


def _prepare(step: Callable[[], None]) -> None:
    try:
        step()
    except ImproperlyConfigured as error:
        sys.exit(f"The service cannot start: {error}")  # Celery would log the error, and go on


@celeryd_init.connect
def beat_workers_heart(**kwargs: object) -> None:
    """Note that the worker is alive, every two seconds, as long as it takes messages."""
    from api.health.heartbeat import beat_heart  # not at the top: it needs the settings

    heartbeat_sent.connect(lambda **kwargs: beat_heart("worker"), weak=False)
