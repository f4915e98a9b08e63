"""The Celery app; its settings are Django's that begin with CELERY_."""

from celery import Celery
from celery.signals import beat_init, before_task_publish, celeryd_init
from django.conf import settings

from .start import prepare_process

app = Celery("hate_speech")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By name: this package is not an installed app, so autodiscovery would not find its tasks.
app.autodiscover_tasks(["hate_speech"])


@celeryd_init.connect
@beat_init.connect
def prepare_worker_or_beat(**kwargs: object) -> None:
    prepare_process()


@beat_init.connect
def touch_file_at_each_beat(**kwargs: object) -> None:
    """Touch a file with each message that beat sends: the container's health check looks at its age."""
    alive = settings.DATA_DIR / "beat.alive"
    before_task_publish.connect(lambda **kwargs: alive.touch(), weak=False)
