"""Celery's tasks. Each calls one service."""

from celery import shared_task

from api.versions import trainings


@shared_task
def auto_first_train_model(run_id: int | None = None) -> None:
    """Do training run `run_id`; without an id, as from beat, do the nightly training."""
    if run_id is None:
        trainings.run_nightly_training()
    else:
        trainings.run_training(run_id=run_id)


@shared_task
def queue_stalled_trainings() -> None:
    """Queue trainings again whose lease has expired."""
    trainings.queue_stalled_runs()
