"""OpenAI's moderation format."""

import pytest

from hate_speech_AI.labels import IMPLIES, THREAT

pytestmark = pytest.mark.embedded

CATEGORIES = {
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
}  # fmt: skip
HATEFUL = "All women are worthless and disgusting."


def moderate(service, **body):
    return service.client.post("/v1/moderations", json=body)


def test_a_text_gets_all_categories_in_all_maps(encoder_service):
    answer = moderate(encoder_service, input=HATEFUL, model="openai/omni-moderation-latest").json()
    assert answer["id"].startswith("modr-")
    assert answer["model"] == "openai/omni-moderation-latest"
    (result,) = answer["results"]
    for name in ("categories", "category_scores", "category_applied_input_types"):
        assert set(result[name]) == CATEGORIES
    verdict = encoder_service.client.post("/predict", json={"tweet": HATEFUL}).json()
    assert result["flagged"] is result["categories"]["hate"] is verdict["is_hate_speech"] is True
    assert result["category_scores"]["hate"] == verdict["probability"]
    [implied] = IMPLIES["hate"]
    not_hate = verdict["labels"][implied] - verdict["labels"]["hate"]
    assert result["category_scores"]["harassment"] == pytest.approx(not_hate, abs=1e-9)
    applied = {name for name, types in result["category_applied_input_types"].items() if types}
    threatening = {"hate/threatening", "harassment/threatening"} if THREAT in verdict["labels"] else set()
    assert applied == {"hate", "harassment"} | threatening
    assert all(result["category_scores"][name] == 0 for name in CATEGORIES - applied)


def test_the_linear_engine_scores_hate_alone(service):
    (result,) = moderate(service, input="Good morning").json()["results"]
    assert [name for name, types in result["category_applied_input_types"].items() if types] == ["hate"]


def test_a_list_gets_a_result_each_in_order(service):
    texts = ["Good morning", "Women are worthless", "", "Good night"]
    results = moderate(service, input=texts).json()["results"]
    alone = [moderate(service, input=text).json()["results"][0] for text in texts]
    assert results == alone
    assert len({result["category_scores"]["hate"] for result in results}) == len(texts)


def test_the_parts_of_a_message_get_one_result(service):
    parts = [{"type": "text", "text": "Good"}, {"type": "text", "text": "morning"}]
    assert moderate(service, input=parts).json()["results"] == moderate(service, input="Good\nmorning").json()["results"]


def test_unknown_fields_are_ignored_and_nothing_redirects(service):
    assert moderate(service, input="Good morning", user="somebody").status_code == 200
    assert service.client.post("/v1/moderations/", json={"input": "Good morning"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": ["a", 3]}, "input"),
        ({"input": ["a", {"type": "text", "text": "b"}]}, "input"),
        ({"input": [{"type": "text"}]}, "input"),
        ({"input": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}, "input"),
        ({"input": "é" * 300_001}, "input"),
        ({"input": ["a"] * 1001}, "input"),
        ({"input": "a\0b"}, "input"),
        ({"input": "a", "model": 3}, "model"),
    ],
)
def test_a_bad_request_is_refused_in_the_formats_shape(service, body, param):
    answer = moderate(service, **body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param


def test_every_other_failure_has_the_formats_shape(service, untrained_service):
    client = service.client
    json = {"Content-Type": "application/json"}
    for answer, status, kind in (
        (client.post("/v1/moderations", content=b'{"input": ', headers=json), 400, "invalid_request_error"),
        (client.post("/v1/moderations", content=b"[1]", headers=json), 400, "invalid_request_error"),
        (client.post("/v1/moderations", content=b"a" * 1_100_000, headers=json), 413, "invalid_request_error"),
        (client.post("/v1/moderations", content=b"a", headers={"Content-Type": "text/plain"}), 415, "invalid_request_error"),
        (client.get("/v1/moderations"), 405, "invalid_request_error"),
        (client.get("/v1/models/gpt-4"), 404, "invalid_request_error"),
        (client.post("/v1/moderations", json={}, headers={"Origin": "https://elsewhere.example"}), 403, "invalid_request_error"),
        (client.post("/v1/moderations", json={}, headers={"Host": "elsewhere.example"}), 400, "invalid_request_error"),
        (moderate(untrained_service, input="a"), 503, "server_error"),
    ):
        assert answer.status_code == status
        assert answer.json()["error"]["type"] == kind


def test_a_text_may_be_longer_than_perspectives(service):
    assert moderate(service, input="a quiet walk, " * 2_000).status_code == 200
    assert moderate(service, input=["a" * 200_000, "b" * 100_001]).json()["error"]["code"] == "string_above_max_length"


def test_the_models_that_clients_know_are_listed(service):
    listed = service.client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert "omni-moderation-latest" in {model["id"] for model in listed["data"]}
    for model in listed["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert service.client.get(f"/v1/models/{model['id']}").json() == model
        assert moderate(service, input="Good morning", model=model["id"]).json()["model"] == model["id"]
    error = service.client.get("/v1/models/none").json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_the_answer_names_the_version(service):
    assert moderate(service, input="Good morning").headers["x-model-version"] == service.active_version()


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/lists", "/v1/chat/completions", "/v1/model"])
def test_other_addresses_below_v1_have_the_services_own_errors(service, path):
    for answer in (service.client.get(path), service.client.post(path, json={})):
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_a_byte_order_mark_is_no_error(service):
    answer = service.client.post(
        "/v1/moderations", content=b'\xef\xbb\xbf{"input": "Good morning"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200
