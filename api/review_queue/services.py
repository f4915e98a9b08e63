"""Write posts: score and list them, and take them off the list with a decision."""

from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from hate_speech_AI.core import Prediction
from hate_speech_AI.text import fingerprint

from ..labels.models import Label, Tweet
from ..labels.recording import LabelledText, record_labels, split_into_batches
from ..verdicts.services import judge
from .found import FoundPost
from .models import Post


def add_posts(*, posts: Iterable[FoundPost], feed: str) -> Counter[str]:
    """Score posts of a feed with the active version, and put them on the list of posts to review; skip known texts.

    Returns how many posts are "new" and how many are "known".
    """
    counts: Counter[str] = Counter()
    for batch in split_into_batches(posts):
        counts += _add_posts(batch, feed)
    return counts


@transaction.atomic
def _add_posts(batch: list[FoundPost], feed: str) -> Counter[str]:
    found = dict(sorted((fingerprint(post.text), post) for post in batch))
    known = set(Tweet.objects.filter(fingerprint__in=found).values_list("fingerprint", flat=True))
    new = {key: post for key, post in found.items() if key not in known}
    if new:
        predictions = judge([post.text for post in new.values()], caller=None)
        tweets = Tweet.objects.bulk_create([Tweet(fingerprint=key, text=post.text) for key, post in new.items()])
        Post.objects.bulk_create(
            Post(
                tweet=tweet,
                feed=feed[:500],
                link=post.link[:1000],
                is_hate_speech=prediction.is_hate_speech,
                probability=prediction.probability,
                uncertainty=_measure_uncertainty(prediction),
                version=prediction.version,
            )
            for tweet, post, prediction in zip(tweets, new.values(), predictions, strict=True)
        )
    return Counter(new=len(new), known=len(batch) - len(new))


def _measure_uncertainty(prediction: Prediction) -> float:
    """Return 1 for a probability at the threshold, falling to 0 for a probability of 0 or 1."""
    side = 1 - prediction.threshold if prediction.is_hate_speech else prediction.threshold
    return 1 - abs(prediction.probability - prediction.threshold) / side


def review_posts(*, posts: QuerySet[Post], is_hate_speech: bool) -> int:
    """Record a person's decision on posts, take them off the list, and return how many."""
    with transaction.atomic():
        rows = list(posts.values_list("id", "tweet__text"))
        for batch in split_into_batches(rows):
            record_labels([LabelledText(text, is_hate_speech) for _, text in batch], source=Label.REVIEW)
        Post.objects.filter(id__in=[id_ for id_, _ in rows]).delete()
    return len(rows)
