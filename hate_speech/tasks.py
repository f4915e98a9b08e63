"""What Celery runs: each task is one call of a service."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from api.labels import services
from api.labels.models import TrainingRun

logger = logging.getLogger(__name__)


@shared_task
def auto_first_train_model(run_id: int | None = None) -> None:
    """Do training run `run_id`; without one, as beat sends it at night, request one, do it, and delete old versions."""
    is_nightly = run_id is None
    if is_nightly:
        run_id = services.request_training(who="beat")[0].pk
    services.run_training(run_id=run_id)
    if is_nightly:
        services.prune_versions()


@shared_task
def queue_stalled_trainings() -> None:
    """Queue again what no living worker is doing."""
    for run in services.release_stalled_runs():
        auto_first_train_model.delay(run.pk)


def queue_training(*, who: str = services.COMMAND_LINE) -> tuple[TrainingRun, bool]:
    """Request a training and send it to the workers; return the run and whether it is new, as `request_training` does."""
    run, is_new = services.request_training(who=who)
    if is_new:
        try:
            auto_first_train_model.delay(run.pk)
        except OperationalError as error:
            # The row is there: beat's next sweep queues it once the broker is back.
            logger.warning("The broker cannot be reached (%s); the training starts when it can.", error)
    return run, is_new
