"""How much a key may store in a day."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from api.access import quota
from api.access.models import KeyUsage
from api.access.services import create_key
from api.labels.models import Label, Suggestion, Tweet
from api.labels.services import import_labels

pytestmark = pytest.mark.django_db

SUGGEST = "/v1alpha1/comments:suggestscore"


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.OPEN_ACCESS = False
    settings.DAILY_ROWS, settings.DAILY_CHARACTERS = 20, 2_000


@pytest.fixture
def clock(monkeypatch):
    """Give a clock that a test sets; it begins six hours before midnight."""
    now = SimpleNamespace(moment=datetime(2026, 1, 2, 18, tzinfo=UTC))
    monkeypatch.setattr(quota, "timezone", SimpleNamespace(now=lambda: now.moment))
    return now


@pytest.fixture
def ask(client):
    """Give a function that sends a review by a key."""
    keys = {}

    def send(text, name="trusted", path="/reviewed"):
        if name not in keys:
            keys[name] = create_key(name=name, scopes=["review"], who="a test", is_trusted=name.startswith("trusted"))
        score = {"summaryScore": {"value": 1, "type": "PROBABILITY"}}
        body = {"comment": {"text": text}, "attributeScores": {"IDENTITY_ATTACK": score}}
        body = body if path == SUGGEST else {"tweet": text, "is_hate_speech": True}
        return client.post(path, body, content_type="application/json", headers={"X-API-Key": keys[name]})

    return send


def test_a_key_may_store_so_many_labels_in_a_day(ask, clock):
    assert [ask(f"text {at}").status_code for at in range(21)] == [200] * 20 + [429]
    answer = ask("one more")
    assert answer.json() == {
        "detail": "This key has stored as much today as it may. Expected available in 21600 seconds.",
        "code": "quota_exceeded",
    }
    assert answer.headers["Retry-After"] == "21600"
    assert Tweet.objects.count() == 20
    # Another key has a quota of its own, and the next day is another day.
    assert ask("by another", "trusted too").status_code == 200
    clock.moment += timedelta(hours=6)
    assert ask("the next day").status_code == 200
    assert [usage.rows for usage in KeyUsage.objects.filter(key="trusted")] == [1]


def test_a_key_may_store_so_many_characters_in_a_day(ask):
    assert ask("x" * 1500).status_code == 200
    assert ask("y" * 501).status_code == 429
    assert ask("y" * 500).status_code == 200
    assert ask("z").status_code == 429


def test_an_untrusted_key_may_store_a_tenth(ask):
    assert [ask(f"text {at}", "untrusted").status_code for at in range(3)] == [200, 200, 429]
    assert Suggestion.objects.count() == 2
    assert ask("x" * 201, "another").status_code == 429
    assert ask("x" * 200, "another").status_code == 200


def test_a_dialect_says_it_in_its_own_shape_and_spends_the_same_quota(ask):
    assert ask("text 1", "untrusted").status_code == 200
    assert ask("text 2", "untrusted", SUGGEST).status_code == 200
    answer = ask("text 3", "untrusted", SUGGEST)
    assert answer.status_code == 429
    assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert int(answer.headers["Retry-After"]) > 0


def test_what_is_refused_spends_nothing(ask):
    for _ in range(30):
        assert ask(" ").status_code == 400
        assert ask("x" * 2_001).status_code == 429
    assert ask("text").status_code == 200
    assert [(usage.rows, usage.characters) for usage in KeyUsage.objects.all()] == [(1, 4)]


def test_another_process_counts_too(ask):
    ask("text 1", "untrusted")
    KeyUsage.objects.update(rows=2)
    assert ask("text 2", "untrusted").status_code == 429


def test_without_a_limit_nothing_is_counted(ask, settings):
    settings.DAILY_ROWS = settings.DAILY_CHARACTERS = 0
    assert ask("x" * 9_000).status_code == 200
    assert not KeyUsage.objects.exists()


def test_imports_have_no_quota():
    import_labels(rows=[(f"text {at}", True) for at in range(300)], source="import:a")
    assert Label.objects.values("tweet").distinct().count() == 300


def test_counting_takes_as_many_queries_whatever_is_stored(ask, django_assert_max_num_queries):
    ask("text 1")
    import_labels(rows=[(f"text {at}", True) for at in range(300)], source="import:a")
    with django_assert_max_num_queries(4):
        quota.spend_quota(["text"], key="trusted")
