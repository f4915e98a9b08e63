"""Beat's scheduler."""

from typing import Any

from celery.beat import Scheduler

from api.health.heartbeat import beat_heart


class BeatingScheduler(Scheduler):
    """Celery's scheduler in memory, with a heartbeat at each turn.

    In memory, since Celery's persistent one writes a pickle. If a night was missed while everything was off, the training at the
    next start makes up for it.
    """

    max_interval = 5

    def tick(self, *args: Any, **kwargs: Any) -> float:
        beat_heart("beat")
        seconds: float = super().tick(*args, **kwargs)
        return seconds
