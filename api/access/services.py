"""Writes of keys."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .audit import record_audit_entry
from .models import ApiKey


def create_key(
    *,
    name: str,
    scopes: Iterable[str],
    who: str,
    is_trusted: bool = False,
    rate: int | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Create an API key of 256 random bits and return it. Only its sha256 is stored, so it cannot be shown again.

    Parameters
    ----------
    scopes : iterable of str
        Values of `Scope`.
    who : str
        Who creates it, for the audit trail.
    is_trusted : bool
        Whether its labels count at once; others wait for a moderator.
    rate : int, optional
        Requests a minute; `RATE_LIMIT` by default.

    Raises
    ------
    IntegrityError
        There is a key of that name.
    """
    key = f"hs_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        ApiKey.objects.create(
            name=name, digest=hash_key(key), scopes=sorted(scopes), is_trusted=is_trusted, rate=rate, expires_at=expires_at
        )
        record_audit_entry(who=who, what="created key", subject=name)
    return key


def revoke_keys(*, keys: QuerySet[ApiKey], who: str) -> int:
    """Revoke keys, and return how many were valid. Caches accept a revoked key for up to 30 seconds more."""
    with transaction.atomic():
        valid = list(keys.filter(revoked_at=None))
        for key in valid:
            record_audit_entry(who=who, what="revoked key", subject=key.name)
        return ApiKey.objects.filter(id__in=[key.id for key in valid]).update(revoked_at=timezone.now())


def hash_key(key: str) -> str:
    """Return the sha256 of a key, which is all that the database stores.

    A key is random, so one round is enough; a password would need a slow hash.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def record_key_uses(keys: Iterable[ApiKey]) -> None:
    """Record that keys were used just now, of each at most once a minute."""
    now = timezone.now()
    due = [key.id for key in keys if key.last_used_at is None or key.last_used_at < now - timedelta(minutes=1)]
    if due:
        ApiKey.objects.filter(id__in=due).update(last_used_at=now)
