"""Who asks: an API key, or nobody."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from ..labels import selectors, services

_REMEMBERED_SECONDS = 30
_REMEMBERED_KEYS = 10_000
_remembered: dict[str, tuple[float, "Caller"]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """The key that a request shows, as far as requests need it."""

    name: str
    scopes: frozenset[str]
    is_trusted: bool
    rate: int | None
    expires_at: datetime | None


def find_caller(key: str) -> Caller | None:
    """Return whose key this is, by one indexed look-up that is remembered for 30 s; `None` of one that counts no longer."""
    digest = services.digest_of(key)
    until, caller = _remembered.get(digest, (0.0, None))
    if until < time.monotonic():
        caller = _look_up(digest)
    if caller is None or (caller.expires_at and caller.expires_at <= timezone.now()):
        return None
    return caller


def _look_up(digest: str) -> Caller | None:
    found = selectors.valid_key(digest)
    if found is None:
        _remembered.pop(digest, None)  # revoked; of keys that never were, nothing is kept
        return None
    services.note_use(found)
    caller = Caller(found.name, frozenset(found.scopes), found.is_trusted, found.rate, found.expires_at)
    if len(_remembered) >= _REMEMBERED_KEYS:
        _remembered.clear()
    _remembered[digest] = time.monotonic() + _REMEMBERED_SECONDS, caller
    return caller


def shown_key(request) -> str:
    """Return the key that a request shows in any of the ways that clients have, or nothing."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    kind, _, bearer = authorization.partition(" ")
    if kind.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    for header in ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY"):
        if request.META.get(header):
            return request.META[header].strip()
    if request.path_info.startswith(("/v1alpha1/", "/$discovery/")):  # Perspective's way
        return request.GET.get("key", "")
    return ""


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Caller`. Under open access a missing or unknown key changes nothing."""

    def authenticate(self, request):
        key = shown_key(request)
        caller = find_caller(key) if key else None
        if caller is None:
            if key and not settings.OPEN_ACCESS:
                raise AuthenticationFailed("This API key is not valid.", "invalid_api_key")
            return None
        return None, caller

    def authenticate_header(self, request):
        return "Bearer"


def brought_by(request) -> dict:
    """Return what the services that take labels want to know of the key that brings them; nothing where there is none."""
    return {"key": request.auth.name, "is_trusted": request.auth.is_trusted} if request.auth else {}


def who(request) -> str:
    """Return how the audit trail names who sent a request."""
    return f"key {request.auth.name}" if request.auth else "open access"
