"""Record labels: which label replaces which, and in which order rows are locked.

Reviews, imports and accepted suggestions all end in `write_labels`. Whoever writes labels, suggestions or posts first locks the
comments and then the tweets that it will touch, with `lock_comments` and `lock_tweets`, each once. So nobody waits in a circle.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from django.db import connection
from django.db.models import QuerySet

from hate_speech_AI.labels import PRIMARY, infer_labels
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import is_review

from ..web.transactions import retry_conflicts
from .models import Label, Tweet

_BATCH = 500
# The upper half of the numbers of PostgreSQL's locks of comments, so that no other kind of lock has the same number.
_COMMENT_LOCKS = 0x636F6D6D << 32
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


# Rows by fingerprint and label name.
KeyedRows = dict[tuple[str, str], LabelledText]


@retry_conflicts
def record_labels(rows: list[LabelledText], *, source: str, key: str = "") -> Counter[str]:
    """Record labels in one transaction. If a text occurs twice with the same label name, the last row counts.

    A new label also replaces a current label of another name that contradicts what it implies.

    Returns
    -------
    Counter
        How many labels are "new", how many "changed" an older label, and how many left it "unchanged".
    """
    keyed = key_rows(rows)
    return write_labels(keyed, lock_tweets(list_texts(keyed)), source=source, key=key)


def key_rows(rows: Iterable[LabelledText]) -> KeyedRows:
    """Return the rows by fingerprint and label name; of repeated ones, the last."""
    return {(fingerprint(row.text), row.name): row for row in rows}


def list_texts(rows: KeyedRows) -> dict[str, str]:
    """Return the texts of `rows` by fingerprint."""
    return {digest: row.text for (digest, _), row in rows.items()}


def lock_comments(references: Iterable[str]) -> None:
    """Let no other transaction decide on these comments until this one ends.

    The tweets alone do not keep two decisions on one comment apart, since an edited comment has another text.
    """
    numbers = sorted({_COMMENT_LOCKS | zlib.crc32(reference.encode()) for reference in references if reference})
    if numbers and connection.vendor == "postgresql":  # SQLite has locked the database by now
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", [numbers])


def lock_tweets(texts: Mapping[str, str], others: Iterable[str] = ()) -> dict[str, Tweet]:
    """Lock all tweets that a transaction will touch, until it ends.

    Parameters
    ----------
    texts : dict of str to str
        Texts by fingerprint. Missing tweets are created.
    others : iterable of str
        Fingerprints of more tweets.

    Returns
    -------
    dict of str to Tweet
        The tweets of `texts` by fingerprint.
    """
    # All are inserted before the first is locked, and both in the same order everywhere: so no two transactions wait for each
    # other. SQLite has locked the database by now.
    for batch in split_into_batches(sorted(texts)):
        Tweet.objects.bulk_create([Tweet(fingerprint=digest, text=texts[digest]) for digest in batch], ignore_conflicts=True)
    found = {}
    for batch in split_into_batches(sorted({*texts, *others})):
        for tweet in Tweet.objects.select_for_update().filter(fingerprint__in=batch).order_by("fingerprint"):
            if tweet.fingerprint in texts:
                found[tweet.fingerprint] = tweet
    return found


def write_labels(rows: KeyedRows, tweets: Mapping[str, Tweet], *, source: str, key: str = "") -> Counter[str]:
    """Do what `record_labels` does, with `tweets` by fingerprint, which are locked."""
    _store_texts(list_texts(rows), tweets)
    labels_now = Label.objects.filter(tweet__in=[tweets[digest] for digest, _ in rows], is_current=True)
    current = {(label.tweet_id, label.name): label for label in labels_now}
    labels, replaced, unchanged = [], [], 0
    for (digest, name), row in rows.items():
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
            if (digest, other) not in rows and contrary and contrary.value != row.value and _outranks(source, row, contrary):
                labels.append(Label(name=other, **columns))
                replaced.append(contrary.id)
    if replaced:
        Label.objects.filter(id__in=replaced).update(is_current=False)
    Label.objects.bulk_create(labels)
    return Counter(new=len(labels) - len(replaced), changed=len(replaced), unchanged=unchanged)


def _store_texts(texts: Mapping[str, str], tweets: Mapping[str, Tweet]) -> None:
    """Store each text as it is labelled first: a feed or an untrusted key may have brought another spelling of it."""
    spelt_otherwise = [tweets[digest].id for digest, text in texts.items() if tweets[digest].text != text]
    if spelt_otherwise:
        unlabelled = list(Tweet.objects.filter(id__in=spelt_otherwise, labels=None))
        for tweet in unlabelled:
            tweet.text = texts[tweet.fingerprint]
        Tweet.objects.bulk_update(unlabelled, ["text"])


def _outranks(source: str, row: LabelledText, current: Label | None) -> bool:
    """Return whether a label replaces `current`: a review replaces an import; between two of a kind, the later value wins.

    A review of another comment is kept even if text and value are the same, because the other comment may be edited.
    """
    if current is None:
        return True
    if is_review(source) != is_review(current.source):
        return is_review(source)
    return row.value != current.value or (is_review(source) and row.reference not in ("", current.reference))


def update_labels(labels: QuerySet[Label], ids: Iterable[int], **moments: datetime | None) -> int:
    """Set `set_aside_at` or `superseded_at` of those of `labels` that `ids` name; their tweets are locked. Return how many.

    Which label of each of the tweets is current is chosen again.
    """
    count = 0
    for batch in split_into_batches(ids):
        # Read before the first change, which takes a label out of the query.
        chosen = dict(labels.filter(id__in=batch).values_list("id", "tweet_id"))
        of_the_tweets = Label.objects.filter(tweet__in=set(chosen.values()))
        of_the_tweets.filter(is_current=True).update(is_current=False)
        count += Label.objects.filter(id__in=chosen).update(**moments)
        current: dict[tuple[int, str], tuple[bool, int]] = {}
        for label in of_the_tweets.filter(set_aside_at=None, superseded_at=None).only("tweet_id", "name", "source"):
            rank = rank_label(label.source, label.id)
            key = label.tweet_id, label.name
            current[key] = max(rank, current.get(key, rank))
        Label.objects.filter(id__in=[label for _, label in current.values()]).update(is_current=True)
    return count


def rank_label(source: str, number: int) -> tuple[bool, int]:
    """Return what tells which label of a tweet and a name is current, the greatest: reviews first, among equals the later."""
    return is_review(source), number


def split_into_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield `rows` in lists, each small enough for one transaction."""
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch
