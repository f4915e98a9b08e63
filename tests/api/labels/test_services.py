"""The rules of labels, on the test database."""

import pytest
from django.db import IntegrityError, transaction

from api.labels.models import Label, Tweet
from api.labels.selectors import count_labelled_rows, stream_labelled_rows
from api.labels.services import add_review, import_labels
from api.versions.services import bootstrap_engine

pytestmark = pytest.mark.django_db


def labels(text="a text"):
    return list(Label.objects.filter(tweet__text=text).order_by("id").values_list("value", "source", "is_current"))


def import_(is_hate_speech, source="import:a"):
    return import_labels(rows=[("a text", is_hate_speech)], source=source)


def review(is_hate_speech):
    add_review(text="a text", is_hate_speech=is_hate_speech)


def test_a_review_outranks_an_earlier_import():
    import_(True)
    review(False)
    assert labels() == [(True, "import:a", False), (False, "review", True)]


def test_a_review_outranks_a_later_import():
    review(False)
    assert import_(True) == {"unchanged": 1}
    assert labels() == [(False, "review", True)]


def test_a_review_that_agrees_with_an_import_makes_it_a_reviewed_tweet():
    import_(True)
    review(True)
    import_(False)
    assert labels() == [(True, "import:a", False), (True, "review", True)]


def test_among_imports_the_latest_that_differs_wins():
    import_(True)
    assert import_(True, "import:b") == {"unchanged": 1}
    assert import_(False, "import:b") == {"changed": 1}
    assert labels() == [(True, "import:a", False), (False, "import:b", True)]


def test_the_database_itself_allows_one_current_label():
    review(True)
    tweet = Tweet.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(tweet=tweet, value=False, source="review")


def test_many_rows_go_in_batches():
    rows = [(f"text number {number % 1200}", number % 2 == 0) for number in range(1300)]
    counts = import_labels(rows=rows, source="import:a")
    assert counts["new"] == 1200
    assert count_labelled_rows() == 1200


def test_rows_stream_in_an_order_that_does_not_depend_on_the_writer():
    texts = [f"text {number}" for number in range(50)]
    import_labels(rows=[(text, True) for text in texts], source="import:a")
    first = list(stream_labelled_rows())
    Label.objects.all().delete()
    Tweet.objects.all().delete()
    import_labels(rows=[(text, True) for text in reversed(texts)], source="import:a")
    assert list(stream_labelled_rows()) == first


def test_starter_tweets_come_once():
    assert bootstrap_engine()["new"] > 300
    import_labels(rows=[(Tweet.objects.first().text, True), (Tweet.objects.first().text, False)], source="import:a")
    assert not bootstrap_engine()
