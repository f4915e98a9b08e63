"""Record labels: which label replaces which, and in which order rows are locked.

Reviews, imports and accepted suggestions all go through `record_labels`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

from django.db import transaction

from hate_speech_AI.labels import PRIMARY, infer_labels
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import is_review

from .models import Label, Tweet

_BATCH = 500
Row = TypeVar("Row")


class LabelledText(NamedTuple):
    """A text and one of its labels.

    Attributes
    ----------
    text : str
    value : bool
        Whether the text carries the label.
    reference : str
        Its place in the imported file, or the comment that it labels.
    name : str
        The label: a key of `hate_speech_AI.labels.MEANINGS`.
    """

    text: str
    value: bool
    reference: str = ""
    name: str = PRIMARY


@transaction.atomic
def record_labels(rows: list[LabelledText], *, source: str, key: str = "") -> Counter[str]:
    """Record labels in one transaction. If a text occurs twice with the same label name, the last row counts.

    A new label also replaces a current label of another name that contradicts what it implies.

    Returns
    -------
    Counter
        How many labels are "new", how many "changed" an older label, and how many left it "unchanged".
    """
    given = {(fingerprint(row.text), row.name): row for row in rows}
    # The row locks keep other writers of the same texts out until the end. SQLite has locked the database by now.
    tweets = {tweet.fingerprint: tweet for tweet in lock_tweets({digest: row.text for (digest, _), row in given.items()})}
    current = {(label.tweet_id, label.name): label for label in Label.objects.filter(tweet__in=tweets.values(), is_current=True)}
    labels, replaced, unchanged = [], [], 0
    for (digest, name), row in given.items():
        tweet = tweets[digest]
        before = current.get((tweet.id, name))
        columns = {"tweet": tweet, "value": row.value, "source": source, "reference": row.reference[:100], "key": key}
        if not _outranks(source, row, before):
            unchanged += 1
            continue
        labels.append(Label(name=name, **columns))
        replaced += [before.id] if before else []
        for other in infer_labels(name, row.value):
            contrary = current.get((tweet.id, other))
            if (digest, other) not in given and contrary and contrary.value != row.value and _outranks(source, row, contrary):
                labels.append(Label(name=other, **columns))
                replaced.append(contrary.id)
    if replaced:
        Label.objects.filter(id__in=replaced).update(is_current=False)
    Label.objects.bulk_create(labels)
    return Counter(new=len(labels) - len(replaced), changed=len(replaced), unchanged=unchanged)


def _outranks(source: str, row: LabelledText, current: Label | None) -> bool:
    """Return whether a label replaces `current`: a review replaces an import; between two of a kind, the later value wins.

    A review of another comment is kept even if text and value are the same, because the other comment may be edited.
    """
    if current is None:
        return True
    if is_review(source) != is_review(current.source):
        return is_review(source)
    return row.value != current.value or (is_review(source) and row.reference not in ("", current.reference))


def lock_tweets(texts: dict[str, str]) -> list[Tweet]:
    """Return the tweets of these texts, given by fingerprint; create missing ones, and lock all until the transaction ends."""
    # Always in the same order, so that two writers of the same texts do not deadlock.
    texts = dict(sorted(texts.items()))
    Tweet.objects.bulk_create([Tweet(fingerprint=digest, text=text) for digest, text in texts.items()], ignore_conflicts=True)
    tweets = Tweet.objects.select_for_update().filter(fingerprint__in=texts).order_by("fingerprint")
    return list(tweets.only("id", "fingerprint"))


def split_into_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield `rows` in lists, each small enough for one transaction."""
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch
