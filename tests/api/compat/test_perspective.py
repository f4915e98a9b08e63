"""Perspective's format."""

import pytest

from api.compat.perspective.request import ATTRIBUTES
from hate_speech_AI.labels import HATE, IMPLIES

pytestmark = pytest.mark.embedded

TEXT = "Good morning 👩🏿‍🌾 everybody. All women are worthless and disgusting! See you."
BOTH = {"IDENTITY_ATTACK": {}, "TOXICITY": {}}


def analyze(service, text: object = TEXT, wanted: object = BOTH, **more):
    body = {"comment": {"text": text}, "requestedAttributes": wanted, **more}
    return service.client.post("/v1alpha1/comments:analyze?key=any&alt=json&prettyPrint=false", json=body)


def test_both_attributes_are_the_services_labels(encoder_service):
    answer = analyze(encoder_service, clientToken="comment:1", doNotStore=True, unknown={"a": 1}).json()
    assert set(answer) == {"attributeScores", "languages", "detectedLanguages", "clientToken"}
    assert answer["languages"] == answer["detectedLanguages"] == ["en"]
    assert answer["clientToken"] == "comment:1"
    labels = encoder_service.client.post("/predict", json={"tweet": TEXT}).json()["labels"]
    for attribute, label in (("IDENTITY_ATTACK", HATE), ("TOXICITY", *IMPLIES[HATE])):
        score = {"value": labels[label], "type": "PROBABILITY"}
        units = len(TEXT.encode("utf-16-le")) // 2
        assert answer["attributeScores"][attribute] == {
            "summaryScore": score,
            "spanScores": [{"begin": 0, "end": units, "score": score}],
        }


def test_spans_are_sentences_counted_in_utf_16(encoder_service):
    answer = analyze(encoder_service, spanAnnotations=True).json()
    spans = answer["attributeScores"]["IDENTITY_ATTACK"]["spanScores"]
    units = TEXT.encode("utf-16-le")
    said = [units[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") for span in spans]
    assert said == ["Good morning 👩🏿‍🌾 everybody.", "All women are worthless and disgusting!", "See you."]
    values = [span["score"]["value"] for span in spans]
    assert max(values) == values[1]


def test_a_score_below_its_threshold_is_left_out(service):
    wanted = {"IDENTITY_ATTACK": {"scoreThreshold": 1.01, "scoreType": "PROBABILITY"}}
    assert analyze(service, wanted=wanted).json()["attributeScores"] == {}


def test_unsupported_attributes_are_dropped_if_that_is_asked(service):
    wanted = {"IDENTITY_ATTACK": None, "SPAM": {}, "TOXICITY": {}}
    assert analyze(service, wanted=wanted).json()["error"]["message"] == "Unknown requested attribute: SPAM"
    answer = analyze(service, wanted=wanted, dropUnsupportedAttributes=True).json()
    assert set(answer["attributeScores"]) == {"IDENTITY_ATTACK"}  # the linear engine knows no other


def test_clients_that_ask_for_all_six_get_what_is_scored(encoder_service):
    names = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"]
    six: dict[str, dict] = {name: {} for name in names}
    labels = encoder_service.client.post("/predict", json={"tweet": TEXT}).json()["labels"]
    scored = {name for name, label in ATTRIBUTES.items() if label in labels}
    assert set(analyze(encoder_service, wanted=six).json()["attributeScores"]) == scored
    assert scored >= {"TOXICITY", "IDENTITY_ATTACK"}
    # With none that is scored there is nothing to answer, and a misspelt one is told.
    for wanted, unknown in (({"SEVERE_TOXICITY": {}}, "SEVERE_TOXICITY"), (six | {"TOXISITY": {}}, "TOXISITY")):
        answer = analyze(encoder_service, wanted=wanted)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == f"Unknown requested attribute: {unknown}"


@pytest.mark.parametrize("languages", [["en"], ["en-US"], ["EN"], ["En-gb"], ["en", "es"], ["ja", "en-Latn-US"], []])
def test_english_is_english_however_it_is_written_and_beside_others(service, languages):
    answer = analyze(service, wanted={"IDENTITY_ATTACK": {}}, languages=languages).json()
    assert answer["languages"] == (languages or ["en"])


@pytest.mark.parametrize("languages", [["es"], ["eng"], ["e"], [""], ["-en"], ["de-EN"]])
def test_what_is_not_english_is_refused(service, languages):
    error = analyze(service, wanted={"IDENTITY_ATTACK": {}}, languages=languages).json()["error"]
    assert error["details"][0]["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/plain;charset=UTF-8"])
def test_json_may_come_as_plain_text_and_with_a_byte_order_mark(service, start, content_type):
    body = start + b'{"comment": {"text": "a"}, "requestedAttributes": {"IDENTITY_ATTACK": {}}}'
    answer = service.client.post("/v1alpha1/comments:analyze", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200
    assert answer.headers["x-model-version"] == service.active_version()


CONTEXT = {"entries": [{"text": "a"}], "articleAndParentComment": {"article": {"text": "b"}}}


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"text": ""}, "COMMENT_EMPTY"),
        ({"text": " \n"}, "COMMENT_EMPTY"),
        ({"text": None}, "COMMENT_EMPTY"),
        ({"text": 3}, "INVALID_REQUEST"),
        ({"text": "é" * 10_241}, "COMMENT_TOO_LONG"),
        ({"text": "a\0b"}, "INVALID_REQUEST"),
        ({"comment": {"text": "a", "type": "HTML"}}, "INVALID_REQUEST"),
        ({"comment": {"text": "a", "type": "SONG"}}, "INVALID_REQUEST"),
        ({"comment": "a"}, "COMMENT_EMPTY"),
        ({"wanted": {}}, "NO_REQUESTED_ATTRIBUTES"),
        ({"wanted": None}, "NO_REQUESTED_ATTRIBUTES"),
        ({"wanted": {"IDENTITY_ATTACK": {"scoreType": "RAW"}}}, "INVALID_REQUEST"),
        ({"wanted": {"IDENTITY_ATTACK": {"scoreThreshold": "high"}}}, "INVALID_REQUEST"),
        ({"wanted": {"IDENTITY_ATTACK": 3}}, "INVALID_REQUEST"),
        ({"wanted": {"identity_attack": {}}}, "INVALID_REQUEST"),
        ({"languages": "en"}, "INVALID_REQUEST"),
        ({"languages": ["ja"], "wanted": {"IDENTITY_ATTACK": {}}}, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
        ({"context": CONTEXT}, "INVALID_REQUEST"),
    ],
)
def test_a_bad_request_is_refused_in_the_formats_shape(service, asked, kind):
    answer = analyze(service, **asked)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == 400
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"]
    assert error["details"][0]["errorType"] == kind


def test_a_foreign_language_is_named(service):
    error = analyze(service, wanted={"IDENTITY_ATTACK": {}}, languages=["ja", "de"]).json()["error"]
    assert error["message"] == "Attribute IDENTITY_ATTACK does not support request languages: ja, de"
    assert error["details"][0]["languageNotSupportedByAttributeError"] == {
        "requestedLanguages": ["ja", "de"],
        "attribute": "IDENTITY_ATTACK",
    }


def test_every_other_failure_has_the_formats_shape(service, untrained_service):
    client, path = service.client, "/v1alpha1/comments:analyze"
    json = {"Content-Type": "application/json"}
    for answer, status, name in (
        (client.post(path, content=b'{"comment": ', headers=json), 400, "INVALID_ARGUMENT"),
        (client.post(path, content=b"[1]", headers=json), 400, "INVALID_ARGUMENT"),
        (client.post(path, content=b"a" * 1_100_000, headers=json), 413, "INVALID_ARGUMENT"),
        (client.post(path, json={}, headers={"Origin": "https://elsewhere.example"}), 403, "PERMISSION_DENIED"),
        (client.get("/v1alpha1/comments:unknown"), 404, "NOT_FOUND"),
        (client.get("/$discovery/rest?version=v2"), 400, "INVALID_ARGUMENT"),
        (analyze(untrained_service), 503, "UNAVAILABLE"),
    ):
        assert answer.status_code == answer.json()["error"]["code"] == status
        assert answer.json()["error"]["status"] == name


def test_the_discovery_document_points_here(service):
    document = service.client.get("/$discovery/rest", params={"version": "v1alpha1", "key": "any"}).json()
    assert document["rootUrl"] == f"{service.url}/"
    assert document["resources"]["comments"]["methods"]["analyze"]["path"] == "v1alpha1/comments:analyze"
