"""Write labels: reviews, clients' feedback and imports; exclude labels from training and restore them."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

import hate_speech_AI
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import is_review

from .models import Label, Suggestion, Tweet
from .recording import LabelledText, record_labels, split_into_batches
from .sides import assign_public_sides
from .suggestions import suggest_labels

STARTER_TWEETS = Path(hate_speech_AI.__file__).parent / "data" / "train.csv"


def add_review(*, text: str, is_hate_speech: bool, key: str = "", is_trusted: bool = True) -> None:
    """Record a person's review of `text`. From an untrusted key it becomes a suggestion, which waits for a moderator."""
    _record_reviews([LabelledText(text, is_hate_speech)], Label.REVIEW, key, is_trusted)


@transaction.atomic
def add_feedback(
    *, rows: list[LabelledText], source: str, comment: tuple[str, str] | None, key: str = "", is_trusted: bool = True
) -> None:
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
    """
    source = f"{Label.REVIEW}:{source}"
    if comment:
        reference = hashlib.sha256("\0".join((key, *comment)).encode()).hexdigest()
        rows = [row._replace(reference=reference) for row in rows]
        superseded = {"reference": reference, "source": source, "key": key}
        digests = [fingerprint(row.text) for row in rows]
        exclude_labels(Label.objects.filter(**superseded).exclude(tweet__fingerprint__in=digests))
        waiting = Suggestion.objects.filter(decided_at=None, **superseded).exclude(tweet__fingerprint__in=digests)
        waiting.update(decided_at=timezone.now(), is_accepted=False)
    _record_reviews(rows, source, key, is_trusted)


def _record_reviews(rows: list[LabelledText], source: str, key: str, is_trusted: bool) -> None:
    if is_trusted:
        record_labels(rows, source=source, key=key)
    else:
        suggest_labels(rows, source=source, key=key)


def exclude_labels(labels: QuerySet[Label]) -> int:
    """Exclude labels from training, and return how many. The label that each tweet had before becomes current again."""
    return _set_exclusion(labels.filter(set_aside_at=None), timezone.now())


def set_aside_labels(ids: Sequence[int], *, version: str) -> int:
    """Exclude the labels that the training of a version set aside, and return how many. `restore_labels` brings them back."""
    count = 0
    for batch in split_into_batches(ids):
        labels = Label.objects.filter(id__in=batch)
        labels.update(set_aside_by=version)
        count += exclude_labels(labels)
    return count


def restore_labels(labels: QuerySet[Label]) -> int:
    """Restore excluded labels to training, and return how many."""
    return _set_exclusion(labels.exclude(set_aside_at=None), None)


@transaction.atomic
def _set_exclusion(labels: QuerySet[Label], moment: datetime | None) -> int:
    """Set `set_aside_at` of labels, and choose again which label of each of their tweets is current."""
    # All ids are read before the first change: a change takes a label out of the query.
    chosen = list(labels.order_by("tweet__fingerprint").values_list("id", "tweet_id"))
    count = 0
    for batch in split_into_batches(chosen):
        # Locked in the same order as in `record_labels`.
        tweets = list(Tweet.objects.select_for_update().filter(id__in={tweet for _, tweet in batch}).order_by("fingerprint"))
        Label.objects.filter(tweet__in=tweets, is_current=True).update(is_current=False)
        count += Label.objects.filter(id__in=[label for label, _ in batch]).update(set_aside_at=moment)
        current: dict[tuple[int, str], tuple[bool, int]] = {}
        for label in Label.objects.filter(tweet__in=tweets, set_aside_at=None).only("tweet_id", "name", "source"):
            rank = (is_review(label.source), label.id)
            key = label.tweet_id, label.name
            current[key] = max(rank, current.get(key, rank))
        Label.objects.filter(id__in=[label for _, label in current.values()]).update(is_current=True)
    return count


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


def import_dataset(*, rows: Iterable[LabelledText], source: str) -> Counter[str]:
    """Import a whole dataset in one transaction, all or nothing. Return the counts of `import_labels`."""
    with transaction.atomic():
        return import_labels(rows=rows, source=source)


def import_starter_tweets() -> Counter[str]:
    """Import the starter tweets unless they are there, and return the counts of `import_labels`; empty if they were."""
    if Label.objects.filter(source=Label.STARTER).exists():
        return Counter()
    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file, transaction.atomic():
        rows = [(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)]
        counts = import_labels(rows=rows, source=Label.STARTER)
        assign_public_sides(Label.STARTER)
    return counts
