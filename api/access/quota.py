"""What may be stored: by one request, and by a key in a day."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from rest_framework.exceptions import Throttled

from ..web.exceptions import RequestTooLarge
from .models import KeyUsage

# One request may store the longest text and as much again in parts of it. Each text is a row, or one for each of its labels.
_MAX_ROWS = 250
_MAX_CHARACTERS = 40_960


def check_size(texts: Collection[str]) -> None:
    """Raise `RequestTooLarge` if one request would store so much. Called before anything is done with the texts."""
    characters = _count_characters(texts)
    if len(texts) > _MAX_ROWS or characters > _MAX_CHARACTERS:
        raise RequestTooLarge(
            f"One request may bring {_MAX_ROWS} labels, of texts with {_MAX_CHARACTERS:,} characters together.",
            "request_too_large",
        )


def spend_quota(texts: Collection[str], *, key: str, part: int = 1) -> None:
    """Count what a request stores against its key's quota of the day. Call it in the transaction that stores it.

    Parameters
    ----------
    part : int
        The key may store this part of the quota, such as 10 for a tenth.

    Raises
    ------
    RequestTooLarge
        One request may not store so much.
    Throttled
        The key has stored as much today as it may.
    """
    check_size(texts)
    limits = {"rows": settings.DAILY_ROWS // part, "characters": settings.DAILY_CHARACTERS // part}
    if not any(limits.values()):
        return
    spent = {"rows": len(texts), "characters": _count_characters(texts)}
    now = timezone.now()
    usage, is_new = KeyUsage.objects.get_or_create(key=key, day=now.date())
    if is_new:
        KeyUsage.objects.filter(key=key, day__lt=now.date()).delete()
    # Conditions and sums are the database's, since other processes count too.
    within = {f"{what}__lte": limit - spent[what] for what, limit in limits.items() if limit}
    sums = {what: F(what) + amount for what, amount in spent.items()}
    if not KeyUsage.objects.filter(pk=usage.pk, **within).update(**sums):
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        raise Throttled((midnight - now).total_seconds(), "This key has stored as much today as it may.", "quota_exceeded")


def _count_characters(texts: Collection[str]) -> int:
    return sum(map(len, set(texts)))
