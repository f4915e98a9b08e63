"""Labels beside hate and toxic, and targets: in answers, in the dialects, and as feedback."""

import json

import pytest

from api.compat.perspective.request import ATTRIBUTES
from api.labels.models import Label, Suggestion
from api.labels.recording import LabelledText
from api.labels.selectors import stream_labelled_rows
from api.labels.services import add_feedback
from api.labels.suggestions import decide_suggestions
from hate_speech_AI.core import classifier
from hate_speech_AI.labels import INSULT, MEANINGS, PRIMARY, PROFANITY, TARGETS, THREAT, TOXIC

from ...pretrained import ATTACKING, INSULTING, THREATENING

pytestmark = pytest.mark.django_db
MODERATIONS, ANALYZE, SUGGEST = "/v1/moderations", "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"
THREATENING_HATE = "All women are worthless and I will hurt them"
THREATENING_CATEGORIES = {"hate/threatening", "harassment/threatening"}


@pytest.fixture(autouse=True)
def _open(settings):
    settings.OPEN_ACCESS = True


@pytest.fixture
def all_labels(with_others, serve_encoder):
    serve_encoder()


@pytest.fixture
def two_labels(without_others, serve_encoder):
    serve_encoder()


def post(client, path: str, body: dict, status: int = 200) -> dict:
    answer = client.post(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def predict(client, text: str) -> dict:
    return post(client, "/predict", {"tweet": text})


def moderate(client, text: str) -> dict:
    return post(client, MODERATIONS, {"input": text})["results"][0]


def analyze(client, text: str, *attributes: str, status: int = 200) -> dict:
    body = {"comment": {"text": text}, "requestedAttributes": {name: {} for name in attributes}}
    return post(client, ANALYZE, body, status)


def suggest(client, text: str, status: int = 200, token: str = "", **values: int) -> dict:
    scores = {name: {"summaryScore": {"value": value}} for name, value in values.items()}
    return post(client, SUGGEST, {"comment": {"text": text}, "attributeScores": scores, "clientToken": token}, status)


def train() -> None:
    classifier.train_model(stream_labelled_rows())
    classifier.use(classifier.store)  # it would look for another version later


# --- /predict ---


def test_an_answer_has_all_labels(client, all_labels):
    assert {*predict(client, "Good morning")["labels"]} == {*MEANINGS}


@pytest.mark.parametrize("text", [ATTACKING, "All muslims and jews are worthless"])
def test_of_a_flagged_text_it_names_the_targets_the_likeliest_first(client, all_labels, text):
    answer = predict(client, text)
    assert answer["is_hate_speech"]
    [targets] = classifier.current().engine.judge([text]).targets
    said = {one["group"]: one["probability"] for one in answer["targets"]}
    assert said
    assert said == {group: p for group, p in zip(classifier.current().engine.targets, targets, strict=True) if p >= 0.5}
    assert [*said.values()] == sorted(said.values(), reverse=True)
    assert {*said} <= {*TARGETS}


def test_of_any_other_text_it_names_none(client, all_labels):
    assert "targets" not in predict(client, INSULTING)
    post(client, "/reviewed", {"tweet": ATTACKING, "is_hate_speech": False})
    train()
    assert "targets" not in predict(client, ATTACKING)


def test_without_such_labels_it_says_hate_and_toxic_alone(client, two_labels):
    answer = predict(client, ATTACKING)
    assert {*answer["labels"]} == {PRIMARY, TOXIC}
    assert "targets" not in answer


# --- OpenAI's dialect ---


@pytest.mark.parametrize("text", [ATTACKING, INSULTING, THREATENING, THREATENING_HATE, "Good morning"])
def test_a_threat_is_split_into_that_of_hate_and_that_of_harassment(client, all_labels, text):
    result, verdict = moderate(client, text), predict(client, text)
    labels, scores, flags = verdict["labels"], result["category_scores"], result["categories"]
    assert scores["hate/threatening"] == min(labels[PRIMARY], labels[THREAT])
    assert scores["harassment/threatening"] == max(0, min(labels[TOXIC], labels[THREAT]) - labels[PRIMARY])
    for kind in ("hate", "harassment"):
        assert scores[f"{kind}/threatening"] <= scores[kind]
        assert flags[kind] or not flags[f"{kind}/threatening"]
        assert result["category_applied_input_types"][f"{kind}/threatening"] == ["text"]
    assert result["flagged"] is any(flags.values())


def test_a_threat_in_hate_is_flagged_as_such(client, all_labels):
    for value in (0, 1):
        suggest(client, ATTACKING, THREAT=value)
        train()
        flags = moderate(client, ATTACKING)["categories"]
        assert (flags["hate"], flags["hate/threatening"]) == (True, bool(value))


def test_a_threat_without_hate_is_flagged_as_harassment(client, all_labels):
    suggest(client, THREATENING, THREAT=1)
    train()
    flags = moderate(client, THREATENING)["categories"]
    assert {name for name, is_flagged in flags.items() if is_flagged} == {"harassment", "harassment/threatening"}


def test_without_the_label_threats_are_not_scored(client, two_labels):
    result = moderate(client, THREATENING_HATE)
    for name in THREATENING_CATEGORIES:
        assert (result["category_scores"][name], result["category_applied_input_types"][name]) == (0, [])


# --- Perspective's dialect ---


def test_attributes_are_the_labels(client, all_labels):
    labels = predict(client, INSULTING)["labels"]
    scores = analyze(client, INSULTING, *ATTRIBUTES, "SEVERE_TOXICITY")["attributeScores"]
    assert {name: score["summaryScore"]["value"] for name, score in scores.items()} == {
        name: labels[label] for name, label in ATTRIBUTES.items()
    }
    assert {*ATTRIBUTES.values()} == {*MEANINGS}


def test_how_severe_a_text_is_no_label_says(client, all_labels):
    assert "SEVERE_TOXICITY" in analyze(client, INSULTING, "SEVERE_TOXICITY", status=400)["error"]["message"]


def test_without_the_labels_their_attributes_are_left_out_or_refused(client, two_labels):
    assert {*analyze(client, INSULTING, *ATTRIBUTES)["attributeScores"]} == {"IDENTITY_ATTACK", "TOXICITY"}
    assert analyze(client, INSULTING, "INSULT", status=400)["error"]["message"] == "Unknown requested attribute: INSULT"


# --- feedback ---


def test_feedback_is_kept_under_its_name_and_answers(client, all_labels):
    said = {
        (attribute, value): f"{attribute} {value}: the ferry"
        for attribute in ("INSULT", "THREAT", "PROFANITY")
        for value in (0, 1)
    }
    for (attribute, value), text in said.items():
        suggest(client, text, **{attribute: value})
    kept = {(ATTRIBUTES[attribute], bool(value), "review:perspective") for attribute, value in said}
    assert {*Label.objects.values_list("name", "value", "source")} == kept
    train()
    for (attribute, value), text in said.items():
        answer = analyze(client, text, attribute, "TOXICITY")["attributeScores"]
        assert answer[attribute]["summaryScore"]["value"] == value
        toxic = answer["TOXICITY"]["summaryScore"]["value"]
        assert toxic == 1 if value else 0 < toxic < 1


def test_feedback_is_kept_though_the_engine_does_not_know_its_label(client, two_labels):
    text = "the ferry was late, and so was the bus"
    suggest(client, text, INSULT=1)
    assert Label.objects.get().name == INSULT
    train()
    verdict = predict(client, text)
    assert INSULT not in verdict["labels"]
    assert verdict["labels"][TOXIC] == 1


def test_a_later_decision_on_the_comment_supersedes_it(client, all_labels):
    suggest(client, "you fool, the ferry", token="comment:1", INSULT=1)
    suggest(client, "the ferry", token="comment:1", INSULT=0)
    current = Label.objects.filter(is_current=True).values_list("tweet__text", "name", "value")
    assert [*current] == [("the ferry", INSULT, False)]


def test_who_says_that_an_insult_is_not_toxic_contradicts_themselves(client, all_labels):
    message = suggest(client, "you fool", status=400, INSULT=1, TOXICITY=0)["error"]["message"]
    assert "INSULT means TOXICITY too" in message
    suggest(client, "damn good", PROFANITY=1, TOXICITY=0)
    assert Label.objects.filter(is_current=True).count() == 2


def test_a_later_insult_replaces_an_older_label_that_contradicts_it(client, all_labels):
    suggest(client, "you fool", TOXICITY=0)
    suggest(client, "you fool", INSULT=1)
    assert {*Label.objects.filter(is_current=True).values_list("name", "value")} == {(INSULT, True), (TOXIC, True)}


def test_of_an_untrusted_key_it_waits_for_a_moderator():
    rows = [LabelledText("you fool", True, name=INSULT)]
    add_feedback(rows=rows, source="perspective", comment=None, key="forum", is_trusted=False)
    assert not Label.objects.exists()
    decide_suggestions(suggestions=Suggestion.objects.all(), is_accepted=True, who="admin a")
    assert [*Label.objects.values_list("name", "value", "key")] == [(INSULT, True, "forum")]


def review(client, status: int = 200, **labels: object) -> dict:
    return post(client, "/reviewed", {"tweet": "the ferry", "is_hate_speech": False, "labels": labels}, status)


def kept() -> dict[str, bool]:
    return dict(Label.objects.filter(is_current=True).values_list("name", "value"))


def test_a_review_may_say_more_than_whether_it_is_hate(client):
    review(client, insult=True, profanity=False)
    assert kept() == {PRIMARY: False, INSULT: True, PROFANITY: False}
    review(client, threat=True)
    assert kept() == {PRIMARY: False, INSULT: True, PROFANITY: False, THREAT: True}, "what is not said stays"
    form = {"tweet": "a form", "is_hate_speech": "off", "labels.insult": "on"}
    assert client.post("/reviewed", form).status_code == 200
    assert {*Label.objects.filter(tweet__text="a form").values_list("name", "value")} == {(PRIMARY, False), (INSULT, True)}


def test_a_review_may_say_no_more(client):
    for labels in ({}, None):
        body = {"tweet": "the ferry", "is_hate_speech": True} | ({"labels": labels} if labels is not None else {})
        post(client, "/reviewed", body)
    assert kept() == {PRIMARY: True}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"inslut": True}, "The labels are toxic, insult, threat, profanity."),
        ({PRIMARY: True}, "The labels are"),
        ({"insult": "perhaps"}, "valid boolean"),
        ({"insult": 1}, "valid boolean"),
        ({"insult": True, "toxic": False}, "are toxic"),
        ([True], "dictionary"),
        ("insult", "dictionary"),
        (None, "null"),
    ],
)
def test_what_is_no_label_is_refused_and_nothing_is_kept(client, labels, message):
    body = {"tweet": "the ferry", "is_hate_speech": False, "labels": labels}
    answer = post(client, "/reviewed", body, 400)
    assert message in json.dumps(answer["errors"])
    assert kept() == {}
