"""The sides of tweets: which are learned from, and which judge what was learned."""

import hmac
import secrets
from collections.abc import Callable
from itertools import groupby

from django.db.models import QuerySet

from hate_speech_AI.training.rows import choose_side

from .models import Installation, Tweet

_BATCH = 5000


def assign_sides() -> None:
    """Give each tweet without a side the one that the secret of this installation gives it. It keeps that side for ever.

    The public rule would let a poisoner write texts that all lie on the side of training, so that none of them judges.
    """
    secret = _find_secret()
    _assign(Tweet.objects.all(), lambda digest: choose_side(hmac.digest(secret, digest.encode(), "sha256").hex()))


def assign_public_sides(source: str) -> None:
    """Give the tweets of a source that everybody has the sides of the public rule, so that they are the same everywhere."""
    _assign(Tweet.objects.filter(labels__source=source), choose_side)


def _assign(tweets: QuerySet[Tweet], choose: Callable[[str], str]) -> None:
    without = tweets.filter(side="").order_by("id").values_list("id", "fingerprint")
    while batch := list(without[:_BATCH]):
        sided = sorted((choose(digest), number) for number, digest in batch)
        for side, group in groupby(sided, key=lambda pair: pair[0]):
            Tweet.objects.filter(id__in=[number for _, number in group]).update(side=side)


def _find_secret() -> bytes:
    """Return the secret of this installation, made at its first use."""
    installation, _ = Installation.objects.get_or_create(pk=1, defaults={"split_secret": secrets.token_bytes(32)})
    return bytes(installation.split_secret)
