"""Queries of keys."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from .models import ApiKey


def find_valid_key(digest: str) -> ApiKey | None:
    """Return the key with this sha256; `None` if there is none or it was revoked. It may have expired."""
    return ApiKey.objects.filter(digest=digest, revoked_at=None).first()


def find_used_keys(digests: Iterable[str], *, since: datetime) -> list[ApiKey]:
    """Return the keys with these sha256 and those used since then, without the revoked. Some may have expired."""
    return list(ApiKey.objects.filter(Q(digest__in=digests) | Q(last_used_at__gte=since), revoked_at=None))


def list_keys() -> QuerySet[ApiKey]:
    """Return all keys, revoked ones too, by name."""
    return ApiKey.objects.order_by("name")
