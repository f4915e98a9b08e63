"""A text that is not English is said to be none, or refused, in each dialect."""

import pytest

from hate_speech_AI.labels import HATE

pytestmark = pytest.mark.embedded

ENGLISH = "The ferry is late again and I am so tired of it"
GERMAN = "Die Fähre ist schon wieder zu spät, und ich bin es so leid"
WANTED = {"IDENTITY_ATTACK": {}}


@pytest.fixture(scope="module")
def refusing(service, tmp_path_factory):
    """Give the shared service's data, served by a web that refuses other languages."""
    other = service.beside(tmp_path_factory.mktemp("refusing"), UNSUPPORTED_LANGUAGES="refuse")
    other.start("web")
    other.wait_for_version()
    yield other
    other.stop()


def analyze(service, text: str, **more):
    body = {"comment": {"text": text}, "requestedAttributes": WANTED, **more}
    return service.client.post("/v1alpha1/comments:analyze?key=any", json=body)


def suggest(service, text: str):
    score = {"IDENTITY_ATTACK": {"summaryScore": {"value": 0}}}
    body = {"comment": {"text": text}, "attributeScores": score, "doNotStore": True}
    return service.client.post("/v1alpha1/comments:suggestscore?key=any", json=body)


def test_the_answer_says_what_is_not_english(service):
    german = service.client.post("/predict", json={"tweet": GERMAN}).json()
    assert (german["language"], german["language_supported"]) == ("de", False)
    results = service.client.post("/predict", json={"tweets": [ENGLISH, GERMAN]}).json()["results"]
    assert "language" not in results[0]
    assert "language_supported" not in results[0]
    assert results[1] == german


def test_perspective_says_what_it_detected(service):
    english, german = (analyze(service, text).json() for text in (ENGLISH, GERMAN))
    assert english["languages"] == english["detectedLanguages"] == ["en"]
    assert german["languages"] == german["detectedLanguages"] == ["de"]
    assert german["attributeScores"]
    asked = analyze(service, GERMAN, languages=["en"]).json()
    assert (asked["languages"], asked["detectedLanguages"]) == (["en"], ["de"])
    assert suggest(service, GERMAN).json()["detectedLanguages"] == ["de"]


def test_english_is_judged_where_others_are_refused(refusing):
    assert refusing.client.post("/predict", json={"tweet": ENGLISH}).json()["labels"][HATE] < 1
    assert refusing.client.post("/v1/moderations", json={"input": [ENGLISH]}).status_code == 200
    assert analyze(refusing, ENGLISH).json()["detectedLanguages"] == ["en"]
    assert refusing.client.get("/readyz").status_code == 200


def test_others_are_refused_with_words(refusing):
    answer = refusing.client.post("/predict", json={"tweet": GERMAN})
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": "The text seems to be of language 'de'. Only 'en' is judged here.",
        "code": "language_not_supported",
    }
    answer = refusing.client.post("/predict", json={"tweets": [ENGLISH, GERMAN], "explain": True})
    assert answer.json()["detail"].startswith("Text 1 ")


def test_others_are_refused_as_openai_would(refusing):
    answer = refusing.client.post("/v1/moderations", json={"input": GERMAN})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "language_not_supported", "input")


def test_others_are_refused_as_perspective_did(refusing):
    answer = analyze(refusing, GERMAN)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"] == "Attribute IDENTITY_ATTACK does not support request languages: de"
    assert error["details"][0]["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    said = {"detectedLanguages": ["de"], "attribute": "IDENTITY_ATTACK"}
    assert error["details"][0]["languageNotSupportedByAttributeError"] == said
    # Who names English is believed. What a person decided is taken in any language.
    assert analyze(refusing, GERMAN, languages=["en"]).json()["detectedLanguages"] == ["de"]
    assert suggest(refusing, GERMAN).status_code == 200
