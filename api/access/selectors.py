"""Queries of keys."""

from django.db.models import QuerySet

from .models import ApiKey


def find_valid_key(digest: str) -> ApiKey | None:
    """Return the key with this sha256; `None` if there is none or it was revoked. It may have expired."""
    return ApiKey.objects.filter(digest=digest, revoked_at=None).first()


def list_keys() -> QuerySet[ApiKey]:
    """Return all keys, revoked ones too, by name."""
    return ApiKey.objects.order_by("name")
