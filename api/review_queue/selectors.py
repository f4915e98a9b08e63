"""Queries of posts."""

from django.db.models import QuerySet

from hate_speech_AI.labels import PRIMARY

from ..labels.models import Label
from .models import Post


def list_posts_to_review() -> QuerySet[Post]:
    """Return the posts that wait for a decision, in the order of review.

    First come those that have a place, then the others, most uncertain first: see `services.order_posts`.
    """
    decided = Label.objects.filter(is_current=True, name=PRIMARY).values("tweet")
    return Post.objects.exclude(tweet__in=decided).select_related("tweet").order_by("place", "-uncertainty", "id")
