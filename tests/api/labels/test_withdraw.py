"""Withdrawing reviews: what counts afterwards, who may do it, and what is written down. The model is other tests' matter."""

import pytest
from django.core.management import call_command

from api.access.models import AuditEntry
from api.labels.models import Label, Suggestion, Tweet
from api.labels.recording import LabelledText
from api.labels.selectors import (
    filter_labels,
    find_learned_reviews,
    find_withdrawn_reviews,
    list_withdrawals,
    stream_labelled_rows,
)
from api.labels.services import (
    add_feedback,
    add_review,
    find_reviews_to_withdraw,
    import_labels,
    restore_labels,
    withdraw_labels,
)
from api.labels.suggestions import withdraw_suggestions
from api.versions import withdrawals
from api.versions.models import TrainingRun
from api.versions.trainings import request_training
from api.versions.withdrawals import withdraw_reviews
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.labels import INSULT, PRIMARY, TOXIC
from hate_speech_AI.text import compute_likeness, fingerprint
from hate_speech_AI.withdrawals import Withdrawal, WithdrawalLog

from ..test_admin import run_action

pytestmark = pytest.mark.django_db


def rows():
    return {row.text: (row.value, row.source) for row in stream_labelled_rows() if row.label == PRIMARY}


def review(text, value, key="", **options):
    add_review(text=text, is_hate_speech=value, key=key, **options)


def withdraw(**chosen):
    return withdraw_labels(filter_labels(**chosen), who="admin a")


@pytest.fixture
def sent(monkeypatch):
    """Collect the runs that are sent to the workers."""
    runs = []
    monkeypatch.setattr(withdrawals, "send_run", runs.append)
    return runs


def test_the_label_before_counts_again_and_the_history_stays():
    import_labels(rows=[("a", True)], source="import:x")
    review("a", False)
    assert len(withdraw(text=" A ")) == 1
    assert rows() == {"a": (True, "import:x")}
    assert Label.objects.count() == 2
    assert [(entry.who, entry.what, entry.subject) for entry in AuditEntry.objects.all()] == [
        ("admin a", "withdrew", "1 labels of review")
    ]


def test_it_can_be_given_again_and_restored():
    review("a", True)
    withdraw(text="a")
    assert rows() == {}
    review("a", True)
    assert rows() == {"a": (True, "review")}
    withdraw(text="a")
    restore_labels(filter_labels(text="a"))
    assert rows() == {"a": (True, "review")}
    assert Label.objects.count() == 2


def test_imports_are_not_withdrawn():
    import_labels(rows=[("a", True)], source="import:x")
    assert withdraw(source="import:x") == []
    assert rows() == {"a": (True, "import:x")}
    assert not AuditEntry.objects.exists()


def test_what_was_withdrawn_is_told_to_those_who_serve():
    review("The clocks are slow", True, key="forum")
    review("The clocks are slow", False)
    review("Alone", True)
    ids = withdraw(text="The clocks are slow", key="forum") + withdraw(text="Alone")
    assert [*list_withdrawals(ids)] == [
        Withdrawal(PRIMARY, fingerprint(text), compute_likeness(text), value)
        for text, value in (("The clocks are slow", False), ("Alone", None))
    ]


def test_only_what_a_version_knows_is_taken_out_of_it():
    known = {PRIMARY: LabelIndex.build([(fingerprint("a"), True), (fingerprint("b"), False), (fingerprint("d"), True)])}
    import_labels(rows=[("a", False)], source="import:x")
    for text, value in (("a", True), ("b", True), ("c", True), ("d", True)):
        review(text, value, key=f"key of {text}")
    for text in "abc":
        withdraw(text=text)
    review("d", True, key="another")
    withdrawn, standing = find_withdrawn_reviews(known)
    assert [(row.text, row.value, row.key) for row in withdrawn] == [("a", True, "key of a")]
    assert [(row.text, row.value, row.source) for row in standing] == [("a", False, "import:x")]


def test_reviews_are_found_by_half_a_fingerprint_if_something_learned_from_them():
    for text in "abcd":
        review(text, True)
    import_labels(rows=[("e", True)], source="import:x")
    Tweet.objects.filter(text="b").update(side="held_out")
    withdraw(text="c")
    halves = {text: fingerprint(text)[:32] for text in "abcde"}
    found = find_learned_reviews({half: text != "d" for text, half in halves.items()})
    assert {half: label.tweet.text for half, label in found.items()} == {halves["a"]: "a"}
    assert find_learned_reviews({}) == {}


def test_a_review_goes_with_all_its_labels():
    review("a", False, labels={TOXIC: True, INSULT: True})
    assert len(withdraw(text="a")) == 3
    assert not Label.objects.filter(is_current=True).exists()


def find(text="a", key="forum", is_trusted=True, may_all=False, review=None):
    labels = find_reviews_to_withdraw(text=text, review=review, key=key, is_trusted=is_trusted, may_all=may_all)
    return {label.key for label in labels}


def test_a_trusted_key_withdraws_its_own_and_an_admin_all():
    review("a", True, key="forum")
    review("a", False, key="other")
    review("b", True, key="forum")
    assert find() == {"forum"}
    assert find(key="another") == set()
    assert find(may_all=True) == {"forum", "other"}
    one = Label.objects.get(key="other")
    assert find(text="", review=one.id) == set()
    assert find(text="", review=one.id, key="other") == {"other"}
    assert find(text="", review=one.id, may_all=True) == {"other"}
    assert find(text="", review=10**12, may_all=True) == set()


def test_an_untrusted_key_takes_back_only_what_waits():
    review("a", True, key="forum")
    review("a", False, key="forum", is_trusted=False)
    review("a", False, key="other", is_trusted=False)
    assert find(is_trusted=False) == set()
    assert withdraw_suggestions(text="A", key="forum") == 1
    assert withdraw_suggestions(text="A", key="forum") == 0
    assert [one.key for one in Suggestion.objects.all()] == ["other"]
    assert rows() == {"a": (True, "review")}


def test_a_decision_on_a_comment_is_a_review_too():
    add_feedback(rows=[LabelledText("a", True)], source="perspective", comment=("c", "1"), key="forum")
    assert find() == {"forum"}


def test_withdrawing_requests_one_run(sent, store):
    review("a", True)
    review("b", True)
    assert withdraw_reviews(filter_labels(text="a"), who="admin a") == 1
    [run] = sent
    assert (run.kind, run.is_finished) == (TrainingRun.Kind.WITHDRAWAL, False)
    assert [one.fingerprint for one in WithdrawalLog(store.root).read(0)] == [fingerprint("a")]
    # The second waits for the same run.
    assert withdraw_reviews(filter_labels(text="b"), who="admin a") == 1
    assert sent == [run]
    assert len(WithdrawalLog(store.root).read(0)) == 2
    # A training may run beside it.
    assert request_training()[1] is True


def test_withdrawing_nothing_requests_nothing(sent, store):
    review("a", True)
    assert withdraw_reviews(filter_labels(text="b"), who="admin a") == 0
    assert (sent, WithdrawalLog(store.root).measure()) == ([], 0)
    assert not TrainingRun.objects.exists()


def test_the_command_withdraws(sent, store, capsys):
    review("a", True, key="forum")
    review("b", True)
    call_command("labels", "withdraw", "--text", "A", "--key", "forum")
    assert "1 label withdrawn" in capsys.readouterr().out
    assert rows() == {"b": (True, "review")}
    assert AuditEntry.objects.get().who == "command line"


def test_moderators_withdraw_in_the_admin(sent, store, admin_client):
    review("a", True)
    page = run_action(admin_client, "label", "withdraw", [Label.objects.get().id])
    assert "1 label withdrawn" in page.content.decode()
    assert rows() == {}
    assert AuditEntry.objects.get().who == "admin admin"
