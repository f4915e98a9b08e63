"""Celery's tasks. Each calls services, and does nothing else."""

from typing import Any

from celery import Task, shared_task

from api.review_queue.services import order_posts
from api.versions import trainings

from .faults import describe_place


class TaskFailedError(Exception):
    """A task failed. The message has the type of the error and its place."""


class QuietTask(Task[Any, Any]):
    """A task whose error does not reach the log as it is: Celery logs its message, which might quote a tweet."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.run(*args, **kwargs)
        except Exception as error:
            failure = TaskFailedError(describe_place(error))
        raise failure


@shared_task(base=QuietTask)
def auto_first_train_model(run_id: int | None = None) -> None:
    """Do training run `run_id`; without an id, as from beat, do the nightly training. Then order the posts to review anew."""
    if run_id is None:
        trainings.run_nightly_training()
    else:
        trainings.run_training(run_id=run_id)
    order_posts()


@shared_task(base=QuietTask)
def queue_stalled_trainings() -> None:
    """Queue trainings again whose lease has expired."""
    trainings.queue_stalled_runs()
