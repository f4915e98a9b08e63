"""Leases: one worker of many gets a piece of work, and another gets it if that worker dies.

The work is a row with `worker`, `attempts`, `lease_until` and `is_finished`. Its worker renews the lease. An expired lease means
that the message was lost or that the worker is dead.
"""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from django.db import connection
from django.db.models import F, Model, QuerySet
from django.db.models.functions import Now

logger = logging.getLogger(__name__)

# Beat looks for expired leases every 20 s, so a dead worker costs under a minute.
LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 5
Row = TypeVar("Row", bound=Model)


class LeaseLostError(Exception):
    """Another worker has this work now: stop."""


def claim_row(rows: QuerySet[Row], **changes: object) -> QuerySet[Row] | None:
    """Claim a row for this worker: of all workers that try at once, one gets it.

    Parameters
    ----------
    rows : QuerySet
        One row, by its primary key.
    **changes
        Columns to set in the same update.

    Returns
    -------
    QuerySet or None
        A query that finds the row as long as it belongs to this worker; `None` if it is finished or belongs to another worker.
    """
    worker = uuid.uuid4().hex
    free = rows.filter(worker="", is_finished=False)
    if free.update(worker=worker, attempts=F("attempts") + 1, lease_until=Now() + LEASE, **changes):
        return rows.filter(worker=worker)
    return None


@contextmanager
def renew_lease(mine: QuerySet[Row]) -> Iterator[threading.Event]:
    """Renew the lease of a claimed row in a thread until the block ends.

    The block gets an event, which is set once the row belongs to another worker.
    """
    done, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not done.wait(_RENEW_SECONDS):
            try:
                if not mine.update(lease_until=Now() + LEASE):
                    lost.set()
                    break
            except Exception as error:
                # The database may be back in a moment; the lease lasts for several tries.
                logger.warning("A lease could not be renewed: %s", type(error).__name__)
                connection.close()
        connection.close()

    thread = threading.Thread(target=renew, name="renew-lease")
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()


def filter_expired_rows(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return the unfinished rows whose lease has expired."""
    return rows.filter(is_finished=False, lease_until__lt=Now())


def release_expired_rows(rows: QuerySet[Row], **changes: object) -> list[Row]:
    """Release rows whose lease has expired, and return them; the caller queues them again.

    Parameters
    ----------
    **changes
        Columns to set in the same update.
    """
    expired = filter_expired_rows(rows)
    # Each update repeats the condition: another sweep may have been first.
    return [row for row in expired if expired.filter(pk=row.pk).update(worker="", lease_until=Now() + LEASE, **changes)]
