"""Suggestions: labels from untrusted keys, until a moderator decides."""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from hate_speech_AI.text import fingerprint

from ..access.audit import record_audit_entry
from ..web.transactions import retry_conflicts
from .models import Label, Suggestion, Tweet
from .recording import (
    KeyedRows,
    LabelledText,
    key_rows,
    lock_comments,
    lock_tweets,
    split_into_batches,
    update_labels,
    write_labels,
)


def take_back_suggestions(rows: KeyedRows, tweets: Mapping[str, Tweet], *, key: str) -> None:
    """Delete what a key has suggested of what it says now. `tweets` by fingerprint are locked."""
    waiting = Suggestion.objects.filter(decided_at=None, key=key, tweet__in=tweets.values()).select_related("tweet")
    older = [one.id for one in waiting if (one.tweet.fingerprint, one.name) in rows]
    Suggestion.objects.filter(id__in=older).delete()


@retry_conflicts
def withdraw_suggestions(*, text: str, key: str) -> int:
    """Delete what a key has suggested of a text and nobody has decided, and return how many suggestions that were."""
    digest = fingerprint(text)
    lock_tweets({}, [digest])
    waiting = Suggestion.objects.filter(decided_at=None, key=key, tweet__fingerprint=digest)
    return waiting.delete()[0]


def write_suggestions(rows: KeyedRows, tweets: Mapping[str, Tweet], *, source: str, key: str) -> None:
    """Store labels from an untrusted key as suggestions. Older ones of the same texts are taken back already."""
    Suggestion.objects.bulk_create(
        Suggestion(tweet=tweets[digest], name=name, value=row.value, source=source, reference=row.reference, key=key)
        for (digest, name), row in rows.items()
    )


def decide_suggestions(*, suggestions: QuerySet[Suggestion], is_accepted: bool, who: str) -> int:
    """Accept waiting suggestions as reviews, or reject them, and return how many there were.

    They are recorded in the order in which they were given, in transactions of some hundred.
    """
    waiting = list(suggestions.filter(decided_at=None).order_by("id").values_list("id", flat=True))
    return sum(_decide(batch, is_accepted, who) for batch in split_into_batches(waiting))


@retry_conflicts
def _decide(ids: list[int], is_accepted: bool, who: str) -> int:
    suggestions = Suggestion.objects.filter(id__in=ids, decided_at=None).select_related("tweet").order_by("id")
    lock_comments(suggestions.values_list("reference", flat=True))
    superseded = _find_superseded(suggestions) if is_accepted else Label.objects.none()
    older = dict(superseded.values_list("id", "tweet__fingerprint"))
    lock_tweets({}, [*suggestions.values_list("tweet__fingerprint", flat=True), *older.values()])
    waiting = list(suggestions.all())  # some may have been decided or replaced in the meantime
    if is_accepted:
        update_labels(superseded, older, superseded_at=timezone.now())
        for (key, source), group in groupby(waiting, lambda one: (one.key, one.source)):
            accepted = list(group)
            rows = [LabelledText(one.tweet.text, one.value, one.reference, one.name) for one in accepted]
            tweets = {one.tweet.fingerprint: one.tweet for one in accepted}
            write_labels(key_rows(rows), tweets, source=source, key=key)
    Suggestion.objects.filter(id__in=ids, decided_at=None).update(decided_at=timezone.now(), is_accepted=is_accepted)
    for key, count in Counter(one.key for one in waiting).items():
        record_audit_entry(
            who=who, what="accepted" if is_accepted else "turned down", subject=f"{count} suggestions of key {key}"
        )
    return len(waiting)


def _find_superseded(suggestions: QuerySet[Suggestion]) -> QuerySet[Label]:
    """Return the labels that the acceptance of these suggestions supersedes.

    They are what the same key said of the same comment before, but for what its new decision says again of the same text.
    """
    of_the_comment = {name: OuterRef(name) for name in ("reference", "source", "key")}
    later = Suggestion.objects.filter(**of_the_comment, created_at__gt=OuterRef("created_at"))
    return (
        Label.objects.filter(reference__in=[one.reference for one in suggestions if one.reference], superseded_at=None)
        .filter(Exists(later.filter(id__in=[one.id for one in suggestions])))
        .exclude(Exists(later.filter(tweet=OuterRef("tweet"))))
    )
