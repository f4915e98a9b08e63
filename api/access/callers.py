"""The caller of a request, by its API key.

Each process remembers the keys that it met and those used within the last hour. A thread looks them up again every ten seconds.
So a request with a known key neither reads nor writes the database, and does not need it.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from rest_framework.request import Request

from .models import ApiKey
from .selectors import find_used_keys, find_valid_key
from .services import hash_key, record_key_uses

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 10
# How long a look-up holds, and how long while the database is away. A revoked key is accepted for as long.
_HOLDS_SECONDS = 30
_HOLDS_WITHOUT_DATABASE_SECONDS = 3600
_MAX_ENTRIES = 10_000
_RECORD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of an API key, and what the key may do."""

    name: str
    scopes: frozenset[str]
    is_trusted: bool
    rate: int | None
    expires_at: datetime | None


@dataclass(slots=True)
class _Entry:
    """A remembered key: its caller, and when it was last looked up and used, by the monotonic clock."""

    caller: Caller
    checked_at: float
    used_at: float = -math.inf

    def holds(self, now: float) -> bool:
        return now < self.checked_at + (_HOLDS_WITHOUT_DATABASE_SECONDS if now < _try_again_at else _HOLDS_SECONDS)


_entries: dict[str, _Entry] = {}  # by the key's sha256
_try_again_at = 0.0  # until then the database counts as away


class Origin(TypedDict):
    """The key that a label came with, as services record it."""

    key: str
    is_trusted: bool


def get_caller(request: Request) -> Caller | None:
    """Return the caller of a request; `None` under open access if it has no key."""
    return request.auth if isinstance(request.auth, Caller) else None


def describe_caller(request: Request) -> str:
    """Return the audit trail's name for the caller of a request."""
    caller = get_caller(request)
    return f"key {caller.name}" if caller else "open access"


def describe_origin(request: Request) -> Origin:
    """Return the name of a request's key, and whether its labels count at once; without a key they do."""
    caller = get_caller(request)
    return {"key": caller.name, "is_trusted": caller.is_trusted} if caller else {"key": "", "is_trusted": True}


def is_known(key: str) -> bool:
    """Return whether this process remembers a key as valid."""
    return hash_key(key) in _entries


def find_caller(key: str) -> Caller | None:
    """Return the caller of a key; `None` if it is revoked, expired or unknown.

    Raises
    ------
    OperationalError, InterfaceError
        The database is away, and the key is not remembered.
    """
    digest, now = hash_key(key), time.monotonic()
    entry = _entries.get(digest)
    if entry is None or not entry.holds(now):
        entry = _look_up(digest, entry, now)
    if entry is None or (entry.caller.expires_at and entry.caller.expires_at <= timezone.now()):
        _entries.pop(digest, None)
        return None
    entry.used_at = now
    return entry.caller


def _look_up(digest: str, known: _Entry | None, now: float) -> _Entry | None:
    """Look up a key. Without the database return what is known of it, as long as that holds."""
    try:
        found = find_valid_key(digest)
    except (OperationalError, InterfaceError) as error:
        _note_outage(error)
        if known is None or not known.holds(now):
            raise
        return known
    return _remember(found, now) if found else None


def _remember(found: ApiKey, now: float) -> _Entry:
    if len(_entries) >= _MAX_ENTRIES:
        _entries.clear()
    caller = Caller(found.name, frozenset(found.scopes), found.is_trusted, found.rate, found.expires_at)
    entry = _entries.setdefault(found.digest, _Entry(caller, now))
    entry.caller, entry.checked_at = caller, now
    return entry


def _note_outage(error: Exception) -> None:
    global _try_again_at  # noqa: PLW0603
    now = time.monotonic()
    if now >= _try_again_at:
        logger.warning("Keys cannot be looked up; known ones hold for up to an hour: %s", type(error).__name__)
    _try_again_at = now + _HOLDS_SECONDS


def refresh_callers() -> None:
    """Look up all keys again that were used within the last hour, here or by another process, and record their use.

    Without the database the remembered keys hold on, and the next refresh tries again.
    """
    global _try_again_at  # noqa: PLW0603
    now = time.monotonic()
    known = dict(_entries)
    try:
        keys = find_used_keys(known, since=timezone.now() - timedelta(seconds=_HOLDS_WITHOUT_DATABASE_SECONDS))
    except (OperationalError, InterfaceError) as error:
        _note_outage(error)
        return
    _try_again_at = 0.0
    for digest in known.keys() - {key.digest for key in keys}:  # revoked
        _entries.pop(digest, None)
    used = [key for key in keys if _remember(key, now).used_at > now - _RECORD_SECONDS]
    record_key_uses(used)


def keep_callers_fresh() -> None:
    """Start the thread that refreshes this process's callers."""
    threading.Thread(target=_refresh_for_ever, name="refresh-callers", daemon=True).start()


def _refresh_for_ever() -> None:
    while True:
        try:
            close_old_connections()  # a broken one would stay broken
            refresh_callers()
        except Exception as error:
            # Tried again at the next turn. Without this thread no key's use would be recorded.
            logger.warning("The use of keys could not be recorded: %s", type(error).__name__)
        time.sleep(_REFRESH_SECONDS)
