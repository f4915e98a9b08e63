"""What Celery runs: each task is one call of a service."""

from celery import shared_task

from api.versions import trainings


@shared_task
def auto_first_train_model(run_id: int | None = None) -> None:
    """Do training run `run_id`; without one, as beat sends it, do the nightly training."""
    if run_id is None:
        trainings.run_nightly_training()
    else:
        trainings.run_training(run_id=run_id)


@shared_task
def queue_stalled_trainings() -> None:
    """Queue again what no living worker is doing."""
    trainings.queue_stalled_runs()
