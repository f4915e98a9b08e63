"""The heartbeats of worker and beat: a file for each in the data folder, which web reads too.

Files need neither the database nor the broker, so that a fault of these is not taken for a dead worker.
"""

import time
from contextlib import suppress
from typing import Literal

from django.conf import settings

Process = Literal["worker", "beat"]


def beat_heart(process: Process) -> None:
    """Note that `process` is alive. Of several workers, one alive is enough."""
    with suppress(OSError):  # the check of the disk says so
        (settings.DATA_DIR / f"{process}.alive").touch()


def read_heartbeat_age(process: Process) -> float:
    """Return how many seconds ago `process` was alive; infinity if it never was."""
    try:
        beaten_at = (settings.DATA_DIR / f"{process}.alive").stat().st_mtime
    except OSError:
        return float("inf")
    return time.time() - beaten_at
