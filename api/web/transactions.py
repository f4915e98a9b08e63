"""Transactions that are tried again when another one was in the way."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

# PostgreSQL's codes: a failed serialization, a deadlock, and a row that another transaction inserted at the same time.
# SQLite has none: a transaction that writes has the database to itself.
_CONFLICTS = {"40001", "40P01", "23505"}
_TRIES = 5
_LONGEST_PAUSE = 0.05  # seconds

Given = ParamSpec("Given")
Result = TypeVar("Result")


class ConflictError(OperationalError):
    """Other transactions were in the way each time."""


def retry_conflicts(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Make `function` one transaction, which is tried again a few times if it conflicts with another.

    It must be fit to run again: it may not use up its arguments. Inside another transaction it runs once, since only the
    outermost one can be tried again.

    Raises
    ------
    ConflictError
        It conflicted each time.
    """

    @wraps(function)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        for _ in range(_TRIES):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if not _is_conflict(error):
                    raise
                conflict = error
            # Of different lengths, so that two transactions do not meet again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311  (no secret)
        raise ConflictError("Other transactions were in the way each time.") from conflict

    return run


def _is_conflict(error: DatabaseError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _CONFLICTS
