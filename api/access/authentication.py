"""Who asks: an API key, or nobody."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .selectors import find_valid_key
from .services import hash_key, record_key_use

_CACHE_SECONDS = 30
_CACHE_SIZE = 10_000
# From a key's sha256 to the moment its entry expires, and whose key it is.
_callers: dict[str, tuple[float, "Caller"]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request shows, and what it may do: `request.auth` of every view."""

    name: str
    scopes: frozenset[str]
    is_trusted: bool
    rate: int | None
    expires_at: datetime | None


def find_caller(key: str) -> Caller | None:
    """Return whose key this is, by one indexed look-up that is cached for 30 s; `None` for a revoked, expired or unknown key."""
    digest = hash_key(key)
    until, caller = _callers.get(digest, (0.0, None))
    if until < time.monotonic():
        caller = _look_up(digest)
    if caller is None or (caller.expires_at and caller.expires_at <= timezone.now()):
        return None
    return caller


def _look_up(digest: str) -> Caller | None:
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


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Caller`, or to `None`. Under open access a missing or unknown key changes nothing."""

    def read_key(self, request) -> str:
        """Return the key in a request's headers, or an empty string."""
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        kind, _, bearer = authorization.partition(" ")
        if kind.lower() == "bearer" and bearer.strip():
            return bearer.strip()
        for header in ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY"):
            if request.META.get(header):
                return request.META[header].strip()
        return ""

    def authenticate(self, request):
        key = self.read_key(request)
        caller = find_caller(key) if key else None
        if caller is None:
            if key and not settings.OPEN_ACCESS:
                raise AuthenticationFailed("This API key is not valid.", "invalid_api_key")
            return None
        return None, caller

    def authenticate_header(self, request):
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):
    """Tells the schema how a key is shown."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "An API key; under open access none is needed."}


def describe_origin(request) -> dict:
    """Return what a service records of who brings a label: the key's name, and whether its labels count at once."""
    return {"key": request.auth.name, "is_trusted": request.auth.is_trusted} if request.auth else {}
