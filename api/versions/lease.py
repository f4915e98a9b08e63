"""Leases: how one worker of many gets a piece of work, and how the work outlives a worker that dies.

The work is a row with `worker`, `attempts`, `lease_until` and `is_finished`. Who works on it renews the lease; a lease that
expires means that the message was lost or that the worker is dead.
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
    """Another worker has been given this work: this one is to stop."""


def claim_row(rows: QuerySet[Row], **changes: object) -> QuerySet[Row] | None:
    """Claim the row in `rows` for this worker: of all that try at once, one gets it.

    Parameters
    ----------
    rows : QuerySet
        One row, by its primary key.
    **changes
        Columns to set with the claim.

    Returns
    -------
    QuerySet or None
        Finds the row as long as it is this worker's; `None` if it is finished or another worker's.
    """
    worker = uuid.uuid4().hex
    free = rows.filter(worker="", is_finished=False)
    if free.update(worker=worker, attempts=F("attempts") + 1, lease_until=Now() + LEASE, **changes):
        return rows.filter(worker=worker)
    return None


@contextmanager
def renew_lease(mine: QuerySet[Row]) -> Iterator[threading.Event]:
    """Renew the lease of a claimed row in a thread until the block ends.

    The event that the block is given is set once the row is another worker's.
    """
    done, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not done.wait(_RENEW_SECONDS):
            try:
                if not mine.update(lease_until=Now() + LEASE):
                    lost.set()
                    break
            except Exception:
                # A database that is away for a moment; the lease lasts for several tries.
                logger.warning("A lease could not be renewed.", exc_info=True)
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
    """Take rows whose lease has expired from their workers, and return them, to be queued again.

    Parameters
    ----------
    **changes
        Columns to set with the release.
    """
    expired = filter_expired_rows(rows)
    # The condition again for each: another sweep may have been here first.
    return [row for row in expired if expired.filter(pk=row.pk).update(worker="", lease_until=Now() + LEASE, **changes)]
