"""The Celery app; its settings are Django's that begin with CELERY_."""

from celery import Celery
from celery.signals import beat_init, celeryd_init, heartbeat_sent
from kombu.transport import TRANSPORT_ALIASES

from .start import prepare_process

TRANSPORT_ALIASES["filesystem"] = "hate_speech.file_queue:Transport"

app = Celery("hate_speech")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By name: this package is not an installed app, so autodiscovery would not find its tasks.
app.autodiscover_tasks(["hate_speech"])


@celeryd_init.connect
@beat_init.connect
def prepare_worker_or_beat(**kwargs: object) -> None:
    prepare_process()


@celeryd_init.connect
def beat_workers_heart(**kwargs: object) -> None:
    """Note that the worker is alive, every two seconds, as long as it takes messages."""
    from api.health.heartbeat import beat_heart  # not at the top: it needs the settings

    heartbeat_sent.connect(lambda **kwargs: beat_heart("worker"), weak=False)
