"""Write posts: score and list them, bring them into order, and take them off the list with a decision."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from hate_speech_AI.active_learning import MAX_TEXTS, embed_gradients, measure_uncertainty, order_by_coverage
from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.text import fingerprint

from ..labels.models import Label, Tweet
from ..labels.recording import LabelledText, key_rows, lock_tweets, split_into_batches, write_labels
from ..verdicts.services import judge
from ..web.transactions import retry_conflicts
from .found import FoundPost
from .models import Post
from .selectors import list_posts_to_review


def add_posts(*, posts: Iterable[FoundPost], feed: str) -> Counter[str]:
    """Score posts of a feed with the active version, and put them on the list of posts to review; skip known texts.

    Returns how many posts are "new" and how many are "known".
    """
    counts: Counter[str] = Counter()
    for batch in split_into_batches(posts):
        counts += _add_posts(batch, feed)
    return counts


def _add_posts(batch: list[FoundPost], feed: str) -> Counter[str]:
    found = {fingerprint(post.text): post for post in batch}
    known = _find_known(found)
    new = {digest: post for digest, post in found.items() if digest not in known}
    # Judged before the transaction: while the model works, nobody waits for the rows.
    verdicts = dict(zip(new, judge([post.text for post in new.values()], caller=None), strict=True)) if new else {}
    stored = _store_posts(new, verdicts, feed)
    return Counter(new=stored, known=len(batch) - stored)


def _find_known(digests: Iterable[str]) -> set[str]:
    """Return which fingerprints are those of a post, or of a text that people or files have labelled.

    A text that an untrusted key has suggested is not known: that must not keep it from the list.
    """
    known = Tweet.objects.filter(Q(post__isnull=False) | Q(labels__isnull=False), fingerprint__in=list(digests))
    return set(known.values_list("fingerprint", flat=True))


@retry_conflicts
def _store_posts(posts: dict[str, FoundPost], verdicts: dict[str, Prediction], feed: str) -> int:
    """Put posts on the list, by fingerprint, and return how many. What has become known in the meantime is skipped."""
    tweets = lock_tweets({digest: post.text for digest, post in posts.items()})
    new = tweets.keys() - _find_known(tweets)
    Post.objects.bulk_create(
        Post(
            tweet=tweets[digest],
            feed=feed[:500],
            link=posts[digest].link[:1000],
            **_describe_verdict(verdicts[digest]),
        )
        for digest in posts
        if digest in new
    )
    return len(new)


def _describe_verdict(verdict: Prediction) -> dict[str, Any]:
    """Return the columns of a post that hold what a version said of it."""
    return {
        "is_hate_speech": verdict.is_hate_speech,
        "probability": verdict.probability,
        "uncertainty": float(measure_uncertainty(verdict.probability, verdict.threshold)),
        "version": verdict.version,
    }


def order_posts() -> None:
    """Bring the posts to review into the order in which people should decide on them.

    1. Take the most uncertain posts, at most `MAX_TEXTS`. So the cost does not grow with the list.
    2. Judge them anew, since a training may have changed the active version.
    3. Order them by BADGE: first come posts that are uncertain and unlike one another. See `hate_speech_AI.active_learning`.

    All others follow, most uncertain first; so do posts that are added later, until the next call.
    """
    posts = list(list_posts_to_review().order_by("-uncertainty", "id")[:MAX_TEXTS])
    active = classifier.store.active()
    if not posts or active is None:
        return
    # Not the version that this process serves, which may be the one before for half a second more.
    version = classifier.store.load(active)
    texts = [post.tweet.text for post in posts]
    for post, verdict in zip(posts, judge(texts, caller=None, version=version), strict=True):
        for column, value in _describe_verdict(verdict).items():
            setattr(post, column, value)
    gradients = embed_gradients(version.engine.embed_influence(texts), np.array([post.uncertainty for post in posts]))
    for place, at in enumerate(order_by_coverage(gradients).tolist()):
        posts[at].place = place
    _store_order(posts)


@retry_conflicts
def _store_order(posts: list[Post]) -> None:
    """Store the places and verdicts of posts. All other posts lose their places."""
    ordered = Post.objects.filter(place__lt=Post.LAST)
    before = ordered.values_list("tweet__fingerprint", flat=True)
    lock_tweets({}, [*before, *(post.tweet.fingerprint for post in posts)])
    ordered.update(place=Post.LAST)
    columns = ["place", "is_hate_speech", "probability", "uncertainty", "version"]
    for batch in split_into_batches(posts):
        Post.objects.bulk_update(batch, columns)


def review_posts(*, posts: QuerySet[Post], is_hate_speech: bool) -> int:
    """Record a person's decision on posts, take them off the list, and return how many."""
    ids = list(posts.order_by("id").values_list("id", flat=True))
    return sum(_review_posts(posts.filter(id__in=batch), is_hate_speech) for batch in split_into_batches(ids))


@retry_conflicts
def _review_posts(posts: QuerySet[Post], is_hate_speech: bool) -> int:
    tweets = lock_tweets(dict(posts.values_list("tweet__fingerprint", "tweet__text")))
    decided = list(posts.select_related("tweet"))  # others may have decided on some in the meantime
    rows = [LabelledText(post.tweet.text, is_hate_speech) for post in decided]
    write_labels(key_rows(rows), tweets, source=Label.REVIEW)
    Post.objects.filter(id__in=[post.id for post in decided]).delete()
    return len(decided)
