"""Who asks: the caller that a key stands for, cached, and what is recorded of it."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.utils import timezone
from rest_framework.request import Request

from .selectors import find_valid_key
from .services import hash_key, record_key_use

_CACHE_SECONDS = 30
_CACHE_SIZE = 10_000
# From a key's sha256 to the moment its entry expires, and whose key it is.
_callers: dict[str, tuple[float, "Caller"]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request shows, and what it may do."""

    name: str
    scopes: frozenset[str]
    is_trusted: bool
    rate: int | None
    expires_at: datetime | None


class Origin(TypedDict):
    """What a service records of who brings a label."""

    key: str
    is_trusted: bool


def get_caller(request: Request) -> Caller | None:
    """Return whose key a request shows; `None` under open access, if it shows none."""
    return request.auth if isinstance(request.auth, Caller) else None


def describe_caller(request: Request) -> str:
    """Return how the audit trail names who sent a request."""
    caller = get_caller(request)
    return f"key {caller.name}" if caller else "open access"


def describe_origin(request: Request) -> Origin:
    """Return the name of the key that sent a request, and whether its labels count at once, as they do without one."""
    caller = get_caller(request)
    return {"key": caller.name, "is_trusted": caller.is_trusted} if caller else {"key": "", "is_trusted": True}


def find_caller(key: str) -> Caller | None:
    """Return whose key this is, by one indexed look-up that is cached for 30 s; `None` for a revoked, expired or unknown key."""
    digest = hash_key(key)
    until, caller = _callers.get(digest, (0.0, None))
    if until < time.monotonic():
        caller = _look_up_caller(digest)
    if caller is None or (caller.expires_at and caller.expires_at <= timezone.now()):
        return None
    return caller


def _look_up_caller(digest: str) -> Caller | None:
    found = find_valid_key(digest)
    if found is None:
        _callers.pop(digest, None)  # revoked; an unknown key is not cached
        return None
    record_key_use(found)
    caller = Caller(found.name, frozenset(found.scopes), found.is_trusted, found.rate, found.expires_at)
    if len(_callers) >= _CACHE_SIZE:
        _callers.clear()
    _callers[digest] = time.monotonic() + _CACHE_SECONDS, caller
    return caller
