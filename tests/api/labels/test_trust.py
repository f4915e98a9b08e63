"""What an untrusted key can change of what is learned, which is nothing until a moderator accepts it."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db.models import F

from api.labels.models import Label, Suggestion, Tweet
from api.labels.selectors import find_withdrawn_labels, list_waiting_suggestions, stream_labelled_rows
from api.labels.services import LabelledText, add_feedback, add_review, exclude_labels, import_labels, restore_labels
from api.labels.suggestions import decide_suggestions
from api.review_queue.feeds import FoundPost
from api.review_queue.models import Post
from api.review_queue.services import add_posts
from hate_speech_AI.core import Prediction
from hate_speech_AI.labels import IMPLIES, PRIMARY

pytestmark = pytest.mark.django_db
[IMPLIED] = IMPLIES[PRIMARY]


def feedback(*texts, token="c", key="k", is_trusted=False, value=True):
    rows = [LabelledText(text, value) for text in texts]
    return add_feedback(rows=rows, source="perspective", comment=("Coral:x", token), key=key, is_trusted=is_trusted)


def suggest(text, value, key="k"):
    add_review(text=text, is_hate_speech=value, key=key, is_trusted=False)


def decide(*texts, is_accepted=True):
    suggestions = Suggestion.objects.filter(tweet__text__in=texts) if texts else Suggestion.objects.all()
    return decide_suggestions(suggestions=suggestions, is_accepted=is_accepted, who="admin a")


def learned():
    return {row.text: row.value for row in stream_labelled_rows() if row.label == PRIMARY}


def waiting():
    return {(one.tweet.text, one.value, one.key) for one in list_waiting_suggestions()}


def test_whoever_records_a_label_is_told_whether_it_counts():
    assert add_review(text="a", is_hate_speech=True, key="k", is_trusted=True) is True
    assert add_review(text="a", is_hate_speech=False, key="k", is_trusted=False) is False
    assert feedback("b", is_trusted=True) is True
    assert feedback("b") is False


def test_an_untrusted_key_does_not_withdraw_its_accepted_label():
    feedback("before")
    decide()
    feedback("after")
    assert learned() == {"before": True}
    assert find_withdrawn_labels() == set()
    decide(is_accepted=False)
    assert learned() == {"before": True}


def test_the_withdrawal_counts_once_the_new_decision_is_accepted():
    feedback("before")
    decide()
    feedback("after")
    decide()
    assert learned() == {"after": True}
    assert len(find_withdrawn_labels()) == 1


def test_a_decision_is_accepted_in_parts():
    feedback("whole", "span")
    decide()
    feedback("edited", "span", "other span")
    decide("edited")
    assert learned() == {"edited": True, "span": True}, "what it says again of the same text stands"
    decide("other span")
    assert learned() == {"edited": True, "span": True, "other span": True}


def test_labels_of_a_trusted_time_stay_until_a_moderator_decides():
    feedback("before", is_trusted=True)
    feedback("after")
    assert learned() == {"before": True}
    decide()
    assert learned() == {"after": True}


def test_other_keys_decisions_on_a_comment_of_the_same_name_stand():
    feedback("theirs", key="other", is_trusted=True)
    feedback("mine")
    decide()
    assert learned() == {"theirs": True, "mine": True}


def test_what_is_given_with_trust_takes_back_what_waits_of_it():
    feedback("before", "same")
    feedback("same", value=False, is_trusted=True)
    assert waiting() == set()
    suggest("a", True)
    add_review(text="A", is_hate_speech=False, key="k", is_trusted=True)
    assert waiting() == set()
    assert learned() == {"same": False, "A": False}


def test_suggestions_are_recorded_in_the_order_in_which_they_were_given():
    suggest("a", True, key="one")
    suggest("a", False, key="two")
    suggest("b", True, key="one")
    suggest("c", False, key="two")
    suggest("c", True, key="one")
    assert decide() == 5
    assert learned() == {"a": False, "b": True, "c": True}
    # Also if a key says it again: it is then the last to have said it.
    suggest("d", True, key="one")
    suggest("d", False, key="two")
    suggest("d", True, key="one")
    decide()
    assert learned()["d"] is True


def test_a_moderator_accepts_what_the_page_showed_or_nothing():
    suggest("a", False)
    [shown] = list_waiting_suggestions()
    suggest("a", True)
    assert decide_suggestions(suggestions=Suggestion.objects.filter(id=shown.id), is_accepted=True, who="admin a") == 0
    assert learned() == {}
    assert waiting() == {("a", True, "k")}


def test_a_text_is_stored_as_it_is_labelled_first():
    suggest("GOOD   MORNING", True)
    add_review(text="Good morning", is_hate_speech=False)
    assert learned() == {"Good morning": False}
    add_review(text="good morning", is_hate_speech=True)
    assert Tweet.objects.get().text == "Good morning"


def test_a_suggestion_keeps_no_post_off_the_list(monkeypatch):
    monkeypatch.setattr(
        "api.review_queue.services.judge",
        lambda texts, caller: [Prediction(True, 0.9, 0.5, "v", {PRIMARY: 0.9}) for _ in texts],
    )
    suggest("a post", False)
    assert add_posts(posts=[FoundPost("a post", "")], feed="https://news.example")["new"] == 1
    assert Post.objects.get().tweet.text == "a post"


# --- what a key's own later decision supersedes is not what an operator takes out ---


def test_restoring_brings_no_superseded_label_back():
    feedback("before", is_trusted=True)
    feedback("after", is_trusted=True)
    assert exclude_labels(Label.objects.all()) == 1
    assert restore_labels(Label.objects.all()) == 1
    assert learned() == {"after": True}
    assert Label.objects.get(tweet__text="before").set_aside_at is None


def test_what_is_superseded_while_it_is_set_aside_stays_out():
    feedback("before", is_trusted=True)
    exclude_labels(Label.objects.all())
    feedback("after", is_trusted=True)
    assert restore_labels(Label.objects.all()) == 0
    assert learned() == {"after": True}


def test_the_label_before_becomes_current_when_one_is_superseded():
    import_labels(rows=[("before", False)], source="import:x")
    feedback("before", is_trusted=True)
    feedback("after", is_trusted=True)
    assert learned() == {"before": False, "after": True}
    restore_labels(Label.objects.all())
    assert learned() == {"before": False, "after": True}


def test_an_upgrade_tells_superseded_labels_from_those_that_an_operator_took_out():
    feedback("before", "whole", is_trusted=True)
    feedback("after", "whole", is_trusted=True)
    feedback("taken out", token="other", is_trusted=True)
    add_review(text="a review", is_hate_speech=True)
    exclude_labels(Label.objects.exclude(tweet__text__in=["after", "whole"]))
    # As the release before this one left them.
    Label.objects.exclude(superseded_at=None).update(set_aside_at=F("superseded_at"), superseded_at=None)
    import_module("api.migrations.0003_superseded_labels").tell_superseded_labels_apart(apps, None)
    assert set(Label.objects.exclude(superseded_at=None).values_list("tweet__text", "set_aside_at")) == {("before", None)}
    assert restore_labels(Label.objects.all()) == 2
    assert learned() == dict.fromkeys(["after", "whole", "taken out", "a review"], True)
