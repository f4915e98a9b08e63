"""The caller of a request, by its API key; cached."""

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
# From a key's sha256 to when its entry expires, and the caller.
_callers: dict[str, tuple[float, "Caller"]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of an API key, and what the key may do."""

    name: str
    scopes: frozenset[str]
    is_trusted: bool
    rate: int | None
    expires_at: datetime | None


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


def find_caller(key: str) -> Caller | None:
    """Return the caller of a key; `None` if it is revoked, expired or unknown. The look-up is cached for 30 s."""
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
