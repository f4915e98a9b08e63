"""Queries of labels and suggestions."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour

from hate_speech_AI.core import classifier
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.labels import MEANINGS, PRIMARY, is_consistent
from hate_speech_AI.text import compute_likeness, fingerprint
from hate_speech_AI.training.rows import Row, RowsDigest
from hate_speech_AI.withdrawals import Withdrawal

from .models import Label, Suggestion, Tweet
from .recording import rank_label, split_into_batches

_PAGE = 5000
# What a training reads of a label, in the order of `Row`.
_ROW_COLUMNS = ("tweet__text", "value", "source", "name", "tweet__side", "key", "created_at", "set_aside_by")
_HALF = 32  # characters
_IS_REVIEW = Q(source=Label.REVIEW) | Q(source__startswith=f"{Label.REVIEW}:")


def stream_labelled_rows(without: Sequence[int] = ()) -> Iterator[Row]:
    """Stream every current label as a row: the primary label's rows first, and each label's rows by fingerprint.

    The digest of the rows needs an order that does not depend on when they were written.

    Parameters
    ----------
    without : sequence of int
        The ids of labels to leave out. The label that each of their tweets had before counts instead, as in `exclude_labels`.
    """
    before = _find_labels_before(without)
    for name in MEANINGS:
        for _, number, *columns in _current_labels(name, "id", *_ROW_COLUMNS):
            counting = before.get(number, columns)
            if counting is not None:
                yield _make_row(*counting)


def _find_labels_before(excluded: Sequence[int]) -> dict[int, list[Any] | None]:
    """Return for each of these current labels the columns of the label that would be current without it, if there is one."""
    found: dict[int, list[Any] | None] = dict.fromkeys(excluded)
    for batch in split_into_batches(excluded):
        labels = Label.objects.filter(id__in=batch).values_list("id", "tweet_id", "name")
        places = {(tweet, name): number for number, tweet, name in labels}
        tweets = {tweet for tweet, _ in places}
        others = Label.objects.filter(tweet__in=tweets, is_current=False, set_aside_at=None, superseded_at=None)
        ranked = sorted(others.values_list("id", "source", "tweet_id", *_ROW_COLUMNS), key=lambda row: rank_label(row[1], row[0]))
        for _, _, tweet, *columns in ranked:  # the last one counts
            if number := places.get((tweet, columns[3])):
                found[number] = columns
    return found


def find_ids_of(rows: Iterable[Row]) -> list[int]:
    """Return the ids of the current labels that rows were read from, and of the other labels that came with them."""
    origins = {fingerprint(row.text): (row.source, row.key) for row in rows}
    ids = []
    for batch in split_into_batches(origins):
        labels = Label.objects.filter(is_current=True, tweet__fingerprint__in=batch)
        for number, digest, source, key in labels.values_list("id", "tweet__fingerprint", "source", "key"):
            if origins[digest] == (source, key):
                ids.append(number)
    return ids


def _make_row(
    text: str, value: bool, source: str, name: str, side: str, key: str, created_at: datetime, set_aside_by: str
) -> Row:
    return Row(text, value, source, name, side, key, created_at.date().isoformat(), bool(set_aside_by))


def digest_rows() -> str:
    """Return the digest of the current rows, as in a version's manifest, without reading the texts."""
    digest = RowsDigest()
    for name in MEANINGS:
        for tweet, value, source in _current_labels(name, "value", "source"):
            digest.update(tweet, value, source, name)
    return digest.hexdigest()


def _current_labels(name: str, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield the fingerprint and these columns of every current label of this name, by fingerprint.

    It reads in pages, each with a query of its own. One cursor for a whole training would be one long read transaction, in which
    SQLite refuses to write the progress.
    """
    rows = Label.objects.filter(is_current=True, name=name).order_by("tweet__fingerprint")
    after = ""
    while page := list(rows.filter(tweet__fingerprint__gt=after).values_list("tweet__fingerprint", *columns)[:_PAGE]):
        yield from page
        after = page[-1][0]


def count_labelled_rows() -> int:
    """Return how many rows `stream_labelled_rows` streams."""
    return Label.objects.filter(is_current=True).count()


def count_labelled_tweets() -> int:
    """Return how many tweets `stream_labelled_tweets` streams."""
    return Label.objects.filter(is_current=True).values("tweet").distinct().count()


def count_labelled(texts: list[str]) -> int:
    """Return how many of `texts` currently have the primary label here, with either value."""
    return sum(
        Label.objects.filter(is_current=True, name=PRIMARY, tweet__fingerprint__in=keys).count()
        for keys in split_into_batches(map(fingerprint, texts))
    )


def find_learned_fingerprints() -> Container[str]:
    """Return the fingerprints of the texts that the shipped engine has learned from."""
    return classifier.store.engine.learned_before()


def stream_labelled_tweets() -> Iterator[tuple[int, dict[str, bool], str]]:
    """Stream (id, labels, text) of every tweet with its current labels by name, oldest first.

    A current label that contradicts one that outranks it is left out. There is one where an import says hate of a text that a
    person called not toxic.

    It reads in pages: a cursor of the server's is lost behind a pooler, and without one all rows would be in memory at once.
    """
    after = 0
    while page := list(Tweet.objects.filter(id__gt=after).order_by("id").values_list("id", "text")[:_PAGE]):
        last, _ = page[-1]
        labels = Label.objects.filter(is_current=True, tweet_id__gt=after, tweet_id__lte=last)
        said: defaultdict[int, dict[str, bool]] = defaultdict(dict)
        for label in sorted(labels, key=lambda label: rank_label(label.source, label.id), reverse=True):
            more = {**said[label.tweet_id], label.name: label.value}
            if is_consistent(more):
                said[label.tweet_id] = more
        yield from ((number, said[number], text) for number, text in page if number in said)
        after = last


def filter_labels(
    *, text: str = "", source: str = "", key: str = "", since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Label]:
    """Return labels by text, source, key and time: from `since` on and before `until`. Omitted arguments do not filter."""
    labels = Label.objects.all()
    if text:
        labels = labels.filter(tweet__fingerprint=fingerprint(text))
    if source:
        labels = labels.filter(source=source)
    if key:
        labels = labels.filter(key=key)
    if since:
        labels = labels.filter(created_at__gte=since)
    if until:
        labels = labels.filter(created_at__lt=until)
    return labels


def filter_reviews(labels: QuerySet[Label]) -> QuerySet[Label]:
    """Return those of `labels` that are reviews and still count, or would if no other review of their text outranked them."""
    return labels.filter(_IS_REVIEW, set_aside_at=None, superseded_at=None)


def find_withdrawn_labels(name: str = PRIMARY) -> set[tuple[str, bool]]:
    """Return (fingerprint, value) of each label that was set aside or superseded, unless a current one says the same."""
    labels = Label.objects.filter(name=name)
    withdrawn = labels.exclude(set_aside_at=None, superseded_at=None)
    current = labels.filter(is_current=True, tweet__labels__in=withdrawn)
    return set(withdrawn.values_list("tweet__fingerprint", "value")) - set(current.values_list("tweet__fingerprint", "value"))


def find_withdrawn_reviews(known: Mapping[str, LabelIndex]) -> tuple[list[Row], list[Row]]:
    """Return the reviews that a version knows and that were withdrawn since, and the labels that their texts have now.

    Parameters
    ----------
    known : dict of str to LabelIndex
        The reviews of the version, by label.
    """
    gone = {
        (digest, name, value)
        for name, index in known.items()
        for digest, value in find_withdrawn_labels(name)
        if index.get(digest) == value
    }
    withdrawn: dict[tuple[str, str, bool], Row] = {}
    standing = []
    for batch in split_into_batches({digest for digest, _, _ in gone}):
        labels = Label.objects.filter(tweet__fingerprint__in=batch).order_by("id")
        excluded = labels.filter(_IS_REVIEW).exclude(set_aside_at=None, superseded_at=None)
        for digest, name, value, *columns in excluded.values_list("tweet__fingerprint", "name", "value", *_ROW_COLUMNS):
            if (digest, name, value) in gone:
                withdrawn[digest, name, value] = _make_row(*columns)
        standing += [_make_row(*columns) for columns in labels.filter(is_current=True).values_list(*_ROW_COLUMNS)]
    return list(withdrawn.values()), standing


def find_learned_reviews(said: Mapping[str, bool]) -> dict[str, Label]:
    """Return the reviews that say `said` of their texts, both by the first half of a fingerprint.

    What is held out, or was withdrawn, is left out.
    """
    texts = Q(pk__in=())
    for half in said:
        texts |= Q(fingerprint__gte=half, fingerprint__lt=f"{half}g")  # one look-up in the index
    # In two queries: in one, SQLite would read all labels.
    tweets = list(Tweet.objects.filter(texts).exclude(side="held_out").values_list("id", flat=True))
    labels = filter_reviews(Label.objects.filter(tweet__in=tweets, name=PRIMARY)).select_related("tweet")
    found = {label.tweet.fingerprint[:_HALF]: label for label in labels.order_by("id")}
    return {half: label for half, label in found.items() if label.value == said[half]}


def list_withdrawals(ids: Iterable[int]) -> Iterator[Withdrawal]:
    """Yield what a served version must know of labels that were withdrawn."""
    for batch in split_into_batches(ids):
        labels = Label.objects.filter(id__in=batch).values_list("tweet_id", "name", "tweet__fingerprint", "tweet__text")
        places = {(tweet, name): (digest, text) for tweet, name, digest, text in labels}
        now = Label.objects.filter(_IS_REVIEW, is_current=True, tweet__in={tweet for tweet, _ in places})
        values = {(tweet, name): value for tweet, name, value in now.values_list("tweet_id", "name", "value")}
        for (tweet, name), (digest, text) in places.items():
            yield Withdrawal(name, digest, compute_likeness(text), values.get((tweet, name)))


def count_new_labels(since: datetime) -> list[dict[str, object]]:
    """Return the ten largest groups of labels since `since`, by source, key and hour (UTC), largest first."""
    groups = (
        Label.objects.filter(created_at__gt=since, set_aside_at=None, superseded_at=None)
        .annotate(hour=TruncHour("created_at"))
        .values("source", "key", "hour")
        .annotate(labels=Count("id"))
        .order_by("-labels", "-hour")[:10]
    )
    return [{**group, "hour": group["hour"].isoformat()} for group in groups]


def list_waiting_suggestions() -> QuerySet[Suggestion]:
    """Return the suggestions that wait for a decision, oldest first."""
    return Suggestion.objects.filter(decided_at=None).select_related("tweet").order_by("id")
