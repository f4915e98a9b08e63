"""What Celery runs: each task is one call of a service."""

from celery import shared_task

from api import services


@shared_task
def auto_first_train_model(run_id: int | None = None) -> None:
    """Do training run `run_id`; without one, as beat sends it at night, request one, do it, and delete old versions."""
    is_nightly = run_id is None
    if is_nightly:
        run_id = services.request_training()[0].pk
    services.run_training(run_id=run_id)
    if is_nightly:
        services.prune_versions()


@shared_task
def queue_stalled_trainings() -> None:
    """Queue again what no living worker is doing."""
    for run in services.release_stalled_runs():
        auto_first_train_model.delay(run.pk)
