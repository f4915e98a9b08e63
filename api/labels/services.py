"""Write labels: reviews, clients' feedback and imports; exclude labels from training and restore them."""

import csv
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from django.db.models import Q, QuerySet
from django.utils import timezone

import hate_speech_AI

from ..access.audit import record_audit_entry
from ..access.quota import spend_quota
from ..web.transactions import retry_conflicts
from .models import Label, Suggestion
from .recording import (
    LabelledText,
    key_rows,
    list_texts,
    lock_comments,
    lock_tweets,
    record_labels,
    split_into_batches,
    update_labels,
    write_labels,
)
from .selectors import filter_labels, filter_reviews
from .sides import assign_public_sides
from .suggestions import take_back_suggestions, write_suggestions

# Nobody has looked at what an untrusted key brings, so it may store a tenth of what a trusted one may.
_UNTRUSTED_PART = 10
STARTER_TWEETS = Path(hate_speech_AI.__file__).parent / "data" / "train.csv"


def add_review(
    *,
    text: str,
    is_hate_speech: bool,
    labels: Mapping[str, bool] = MappingProxyType({}),
    key: str = "",
    is_trusted: bool = True,
) -> bool:
    """Record a person's review of `text`, and return whether it counts at once. If not, it waits for a moderator.

    `labels` has what else the person says of the text, by the names of the labels.
    """
    rows = [LabelledText(text, value, name=name) for name, value in labels.items()]
    return _record_reviews([LabelledText(text, is_hate_speech), *rows], Label.REVIEW, key, is_trusted)


def add_feedback(
    *, rows: list[LabelledText], source: str, comment: tuple[str, str] | None, key: str = "", is_trusted: bool = True
) -> bool:
    """Record a decision of a client's moderators on a comment. It supersedes their older decision on the comment.

    Parameters
    ----------
    rows : list of LabelledText
        Labels of the comment's text, or of parts of it. They are reviews.
    source : str
        The dialect of the request.
    comment : (str, str), optional
        The client's community and its name for the comment. A later decision by the same key on the same comment supersedes this
        one, even if the text was edited since.

    Returns
    -------
    bool
        Whether it counts at once. If not, it waits for a moderator, and so does what it supersedes.
    """
    if comment:
        reference = hashlib.sha256("\0".join((key, *comment)).encode()).hexdigest()
        rows = [row._replace(reference=reference) for row in rows]
    return _record_reviews(rows, f"{Label.REVIEW}:{source}", key, is_trusted)


@retry_conflicts
def _record_reviews(rows: list[LabelledText], source: str, key: str, is_trusted: bool) -> bool:
    """Record what a client says now of some texts, and take back what it said before of the same comments.

    This alone asks whether the client is trusted. An untrusted one changes nothing but its own waiting suggestions.
    """
    spend_quota([row.text for row in rows], key=key, part=1 if is_trusted else _UNTRUSTED_PART)
    keyed = key_rows(rows)
    comments = {row.reference for row in rows if row.reference}
    lock_comments(comments)
    older = {"reference__in": comments, "source": source, "key": key}
    here = Q(tweet__fingerprint__in=[digest for digest, _ in keyed])
    waiting = Suggestion.objects.filter(~here, decided_at=None, **older)
    labels = Label.objects.filter(~here, superseded_at=None, **older) if is_trusted else Label.objects.none()
    superseded = dict(labels.values_list("id", "tweet__fingerprint"))
    tweets = lock_tweets(list_texts(keyed), [*superseded.values(), *waiting.values_list("tweet__fingerprint", flat=True)])
    waiting.delete()
    if key:
        take_back_suggestions(keyed, tweets, key=key)
    if is_trusted:
        update_labels(labels, superseded, superseded_at=timezone.now())
        write_labels(keyed, tweets, source=source, key=key)
    else:
        write_suggestions(keyed, tweets, source=source, key=key)
    return is_trusted


def exclude_labels(labels: QuerySet[Label]) -> int:
    """Exclude labels from training, and return how many. The label that each tweet had before becomes current again."""
    return _set_exclusion(labels.filter(set_aside_at=None, superseded_at=None), timezone.now())


def set_aside_labels(ids: Sequence[int], *, version: str) -> int:
    """Exclude the labels that the training of a version set aside, and return how many. `restore_labels` brings them back."""
    count = 0
    for batch in split_into_batches(ids):
        labels = Label.objects.filter(id__in=batch)
        labels.update(set_aside_by=version)
        count += exclude_labels(labels)
    return count


@retry_conflicts
def withdraw_labels(labels: QuerySet[Label], *, who: str) -> list[int]:
    """Exclude reviews as `exclude_labels` does, say so in the audit trail, and return their ids. Labels of imports stay.

    `versions.withdrawals` also takes them out of what is served.
    """
    reviews = filter_reviews(labels)
    origins = {number: (source, key) for number, source, key in reviews.values_list("id", "source", "key")}
    exclude_labels(reviews)
    for (source, key), count in Counter(origins.values()).items():
        by = f" by key {key}" if key else ""
        record_audit_entry(who=who, what="withdrew", subject=f"{count} labels of {source}{by}")
    return list(origins)


def find_reviews_to_withdraw(
    *, text: str = "", review: int | None = None, key: str, is_trusted: bool, may_all: bool
) -> QuerySet[Label]:
    """Return what a client may withdraw of a text, or of the text and the key of one review: its own labels.

    An untrusted key may withdraw none, since a moderator accepted them. `may_all` lets it withdraw those of others too.
    """
    if review is None:
        labels = filter_labels(text=text)
    else:
        one = Label.objects.filter(id=review)
        labels = Label.objects.filter(tweet__in=one.values("tweet"), key__in=one.values("key"))
    if not may_all:
        labels = labels.filter(key=key) if is_trusted else labels.none()
    return filter_reviews(labels)


def restore_labels(labels: QuerySet[Label]) -> int:
    """Restore excluded labels to training, and return how many. What its own key has superseded since stays out."""
    return _set_exclusion(labels.filter(superseded_at=None).exclude(set_aside_at=None), None)


@retry_conflicts
def _set_exclusion(labels: QuerySet[Label], moment: datetime | None) -> int:
    chosen = dict(labels.values_list("id", "tweet__fingerprint"))
    lock_tweets({}, chosen.values())
    return update_labels(labels, chosen, set_aside_at=moment)


def import_labels(*, rows: Iterable[LabelledText | tuple[str, bool]], source: str) -> Counter[str]:
    """Record the labels of `source`, in transactions of some hundred rows.

    Parameters
    ----------
    rows : iterable of LabelledText or of (text, value)

    Returns
    -------
    Counter
        How many labels are "new", how many "changed" an older label, and how many left it "unchanged", such as a review.
    """
    counts: Counter[str] = Counter()
    for batch in split_into_batches(LabelledText(*row) for row in rows):
        counts += record_labels(batch, source=source)
    return counts


@retry_conflicts
def import_dataset(*, rows: Collection[LabelledText], source: str) -> Counter[str]:
    """Import a whole dataset in one transaction, all or nothing. Return the counts of `import_labels`."""
    lock_tweets(list_texts(key_rows(rows)))
    return import_labels(rows=rows, source=source)


@retry_conflicts
def import_starter_tweets() -> Counter[str]:
    """Import the starter tweets unless they are there, and return the counts of `import_labels`; empty if they were."""
    if Label.objects.filter(source=Label.STARTER).exists():
        return Counter()
    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file:
        rows = [LabelledText(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)]
    counts = import_dataset(rows=rows, source=Label.STARTER)
    assign_public_sides(Label.STARTER)
    return counts
