"""Suggestions: labels from untrusted keys, until a moderator decides."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hate_speech_AI.text import fingerprint

from ..access.audit import record_audit_entry
from .models import Suggestion
from .recording import LabelledText, lock_tweets, record_labels


@transaction.atomic
def suggest_labels(rows: list[LabelledText], *, source: str, key: str) -> None:
    """Store labels from an untrusted key as suggestions."""
    texts = {fingerprint(row.text): row.text for row in rows}
    tweets = {tweet.fingerprint: tweet for tweet in lock_tweets(texts)}
    for row in rows:
        # A later suggestion of the same key for the same tweet replaces the earlier one.
        Suggestion.objects.update_or_create(
            tweet=tweets[fingerprint(row.text)],
            name=row.name,
            key=key,
            decided_at=None,
            defaults={"value": row.value, "source": source, "reference": row.reference},
        )


def decide_suggestions(*, suggestions: QuerySet[Suggestion], is_accepted: bool, who: str) -> int:
    """Accept waiting suggestions as reviews, or reject them, and return how many there were."""
    with transaction.atomic():
        waiting = list(suggestions.filter(decided_at=None).select_related("tweet").select_for_update(of=("self",)))
        by_origin: dict[tuple[str, str], list[LabelledText]] = {}
        for suggestion in waiting:
            row = LabelledText(suggestion.tweet.text, suggestion.value, suggestion.reference, suggestion.name)
            by_origin.setdefault((suggestion.key, suggestion.source), []).append(row)
        if is_accepted:
            for (key, source), rows in by_origin.items():
                record_labels(rows, source=source, key=key)
        Suggestion.objects.filter(id__in=[suggestion.id for suggestion in waiting]).update(
            decided_at=timezone.now(), is_accepted=is_accepted
        )
        for (key, _), rows in by_origin.items():
            record_audit_entry(
                who=who, what="accepted" if is_accepted else "turned down", subject=f"{len(rows)} suggestions of key {key}"
            )
    return len(waiting)
