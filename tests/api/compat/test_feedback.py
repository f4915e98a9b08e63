"""Perspective's `comments:suggestscore`: moderators' decisions, as Coral and others send them."""

import json
import uuid

import pytest

from api.labels.models import Label, Suggestion
from api.labels.selectors import list_waiting_suggestions, stream_labelled_rows
from api.labels.services import LabelledText, add_feedback, add_review, import_labels
from api.labels.suggestions import decide_suggestions
from hate_speech_AI.labels import IMPLIES, PRIMARY

HATE, OTHER = "IDENTITY_ATTACK", "TOXICITY"
[IMPLIED] = IMPLIES[PRIMARY]


def suggest(client, text: str, scores: dict, **more):
    body = {"comment": {"text": text}, "attributeScores": scores, **more}
    return client.post("/v1alpha1/comments:suggestscore?key=any", json=body)


def summary(value: object) -> dict:
    return {"summaryScore": {"value": value}}


def test_the_next_version_answers_fifty_comments_as_corals_moderators_did(encoder_service):
    """A moderator first approves all, then changes half of the decisions; odd comments are judged by TOXICITY."""
    client, run = encoder_service.client, uuid.uuid4()
    texts = [f"comment {n} of {run}: the ferry was late" for n in range(50)]
    asked_for = [OTHER if n % 2 else HATE for n in range(50)]
    decisions = [n % 4 < 2 for n in range(50)]
    for decided in ([False] * 50, decisions):
        for n, (text, attribute, value) in enumerate(zip(texts, asked_for, decided, strict=True)):
            entry = {"url": "https://news.example/ferry", "reply_to_id_Coral_comment_id": "", "Coral_comment_id": f"{run}-{n}"}
            answer = suggest(
                client,
                text,
                {attribute: {"summaryScore": {"value": int(value)}}},
                context={"entries": [{"text": json.dumps(entry)}]},
                communityId="Coral:https://news.example",
                clientToken=f"comment:{run}-{n}",
            )
            assert answer.status_code == 200
            assert answer.json() == {
                "clientToken": f"comment:{run}-{n}",
                "detectedLanguages": ["en"],
                "requestedLanguages": ["en"],
            }
    encoder_service.train_a_new_version()
    for text, attribute, value in zip(texts, asked_for, decisions, strict=True):
        body = {"comment": {"text": text}, "requestedAttributes": {attribute: {}}}
        answer = client.post("/v1alpha1/comments:analyze?key=any", json=body).json()
        assert answer["attributeScores"][attribute]["summaryScore"]["value"] == float(value)


NO_DECISIONS = [
    {},
    {"SPAM": summary(1)},
    {HATE: {}},
    {HATE: 1},
    {HATE: summary(0.5)},
    {HATE: summary(True)},
    {HATE: summary("1")},
    {HATE: summary(None)},
    {HATE: {"summaryScore": {"value": 1, "type": "RAW"}}},
    {HATE: {"spanScores": [{"begin": 0, "score": {"value": 1}}]}},
    {HATE: {"spanScores": [{"begin": 3, "end": 3, "score": {"value": 1}}]}},
    {HATE: {"spanScores": [{"begin": 0, "end": 99, "score": {"value": 1}}]}},
    {HATE: {"spanScores": [{"begin": 0, "end": 3}]}},
    {HATE: {"spanScores": {"begin": 0}}},
    {HATE: {**summary(1), "spanScores": [{"begin": 0, "end": 7, "score": {"value": 0}}]}},
    {HATE: summary(1), OTHER: summary(0)},
]


def test_what_is_no_decision_is_refused_and_not_kept(service):
    for scores in NO_DECISIONS:
        answer = suggest(service.client, "🎈a fog", scores)
        assert answer.status_code == 400, scores
        error = answer.json()["error"]
        assert error["status"] == "INVALID_ARGUMENT"
        assert error["details"][0]["errorType"] in ("INVALID_REQUEST", "NO_REQUESTED_ATTRIBUTES")
    assert service.query("from api.labels.models import Tweet; print(Tweet.objects.filter(text='🎈a fog').exists())") == "False"


@pytest.mark.embedded
def test_another_language_and_an_empty_comment_are_refused_as_analyze_refuses_them(service):
    answer = suggest(service.client, "a", {HATE: summary(1)}, languages=["ja"]).json()
    assert answer["error"]["details"][0]["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    answer = suggest(service.client, " ", {HATE: summary(1)}).json()
    assert answer["error"]["details"][0]["errorType"] == "COMMENT_EMPTY"
    assert suggest(service.client, "a", {HATE: summary(1)}, clientToken=3).status_code == 400


def test_what_is_not_to_be_stored_is_not(service):
    assert suggest(service.client, "keep nothing of this", {HATE: summary(1)}, doNotStore=True).status_code == 200
    said = service.query("from api.labels.models import Tweet; print(Tweet.objects.filter(text='keep nothing of this').exists())")
    assert said == "False"


def test_a_span_is_labelled_by_itself(service):
    text = "🎈 good morning. Away with them."
    spans = [{"begin": 17, "end": 32, "score": {"value": 1}}]
    assert suggest(service.client, text, {OTHER: {"spanScores": spans}}).status_code == 200
    code = (
        "from api.labels.models import Label;"
        f"said = Label.objects.filter(source='review:perspective', name='{IMPLIED}', key='');"
        "print(list(said.filter(tweet__text='Away with them.').values_list('value', flat=True)))"
    )
    assert service.query(code) == "[True]"


def feedback(text: str, value: bool, token: str = "comment:1", name: str = PRIMARY, **more) -> None:
    add_feedback(rows=[LabelledText(text, value, name=name)], source="perspective", comment=("Coral:x", token), **more)


def labels() -> set[tuple]:
    return set(Label.objects.filter(is_current=True).values_list("tweet__text", "name", "value", "source"))


@pytest.mark.django_db
def test_the_latest_decision_on_a_comment_wins():
    for value in (True, False, True, False):
        feedback("a", value, key="k")
    assert labels() == {("a", "hate", False, "review:perspective")}
    assert [row.value for row in stream_labelled_rows()] == [False]


@pytest.mark.django_db
def test_what_was_said_of_an_edited_comment_counts_no_longer():
    add_review(text="before", is_hate_speech=False)
    feedback("before", True)
    feedback("after", False)
    assert labels() == {("before", "hate", False, "review"), ("after", "hate", False, "review:perspective")}
    # Another comment of the same text stands.
    feedback("same", True)
    feedback("same", True, token="comment:2")
    feedback("not the same", False)
    assert ("same", "hate", True, "review:perspective") in labels()
    # Other keys, communities and comments replace nothing.
    feedback("other", True, key="k")
    add_feedback(rows=[LabelledText("another", True)], source="perspective", comment=("Coral:y", "comment:1"))
    add_feedback(rows=[LabelledText("no name", True)], source="perspective", comment=None)
    assert {text for text, *_ in labels()} == {"before", "same", "not the same", "other", "another", "no name"}


@pytest.mark.django_db
def test_labels_never_contradict_what_they_imply():
    import_labels(rows=[("a", True)], source="import:x")
    feedback("a", True, name=IMPLIED)
    assert labels() == {("a", "hate", True, "import:x"), ("a", IMPLIED, True, "review:perspective")}
    feedback("a", False, name=IMPLIED)
    assert labels() == {("a", "hate", False, "review:perspective"), ("a", IMPLIED, False, "review:perspective")}
    add_review(text="a", is_hate_speech=True)
    assert labels() == {("a", "hate", True, "review"), ("a", IMPLIED, True, "review")}
    # An import does not outrank a review, and what is no hate may carry the other label.
    import_labels(rows=[("a", False)], source="import:y")
    add_review(text="a", is_hate_speech=False)
    assert labels() == {("a", "hate", False, "review"), ("a", IMPLIED, True, "review")}
    assert [row[1:4] for row in stream_labelled_rows()] == [(False, "review", "hate"), (True, "review", IMPLIED)]


@pytest.mark.django_db
def test_feedback_of_a_key_without_trust_waits():
    feedback("a", True, key="k", is_trusted=False)
    feedback("a", False, key="k", is_trusted=False)
    feedback("a", True, key="k", is_trusted=False, name=IMPLIED)
    assert not labels()
    feedback("b", True, token="comment:2", key="k", is_trusted=False)
    feedback("edited", True, token="comment:2", key="k", is_trusted=False)
    waiting = list_waiting_suggestions()
    assert {(one.tweet.text, one.name, one.value) for one in waiting} == {
        ("a", "hate", False),
        ("a", IMPLIED, True),
        ("edited", "hate", True),
    }
    assert decide_suggestions(suggestions=Suggestion.objects.all(), is_accepted=True, who="admin a") == 3
    source = "review:perspective"
    assert labels() == {("a", "hate", False, source), ("a", IMPLIED, True, source), ("edited", "hate", True, source)}
    assert set(Label.objects.values_list("key", flat=True)) == {"k"}
