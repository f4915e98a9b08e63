import time

import pytest


def test_it_works(service):
    answer = service.client.post("/predict", json={"tweet": "I hate immigrants, all of them"})
    assert answer.status_code == 200
    verdict = answer.json()
    assert set(verdict) == {"is_hate_speech", "probability", "threshold", "version", "labels"}
    assert verdict["is_hate_speech"] is (verdict["probability"] >= verdict["threshold"])
    assert 0 <= verdict["probability"] <= 1
    assert verdict["version"] == service.active_version()


def test_several_texts_are_answered_in_order(service):
    texts = [f"send all vermin number {number} away" for number in range(40)] + ["good morning"]
    results = service.client.post("/predict", json={"tweets": texts}).json()["results"]
    alone = [service.client.post("/predict", json={"tweet": text}).json() for text in texts]
    assert [result["probability"] for result in results] == pytest.approx([one["probability"] for one in alone], abs=1e-9)


def test_a_form_is_taken_too(service):
    assert service.client.post("/predict", data={"tweet": "good morning"}).status_code == 200
    assert service.client.post("/predict", files={"tweet": (None, "good morning")}).status_code == 200


@pytest.mark.parametrize("path", ["/predict/", "/predict"])
def test_a_trailing_slash_is_no_redirect(service, path):
    assert service.client.post(path, json={"tweet": "good morning"}, follow_redirects=False).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_the_answer_is_json_whatever_is_asked_for(service, accept):
    answer = service.client.post("/predict", json={"tweet": "good morning"}, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body", [{"tweet": "x" * 10_000}, {"tweets": ["é" * 300] * 1000}, {"tweets": ["\u0345\u0301" * 5000] * 30}]
)
def test_the_largest_legal_requests_are_answered_in_time(service, body):
    began = time.monotonic()
    assert service.client.post("/predict", json=body).status_code == 200
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "tweet"),
        ({"tweet": "a", "tweets": ["b"]}, "tweet"),
        ({"tweets": []}, "tweets"),
        ({"tweets": "a text"}, "tweets"),
        ({"tweets": {"a": "b"}}, "tweets"),
        ({"tweets": ["fine", 3]}, "tweets"),
        ({"tweets": ["fine", " "]}, "tweets"),
        ({"tweets": ["fine"] * 1001}, "tweets"),
        ({"tweets": ["x" * 1000] * 301}, "tweets"),
    ],
)
def test_bad_input_names_the_field(service, body, field):
    answer = service.client.post("/predict", json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["errors"]
    assert answer.json()["errors"][field]


def test_a_bad_text_of_several_is_named_by_its_place(service):
    errors = service.client.post("/predict", json={"tweets": ["fine", ""]}).json()["errors"]
    assert errors == {"tweets": ["Item 1: This field may not be blank."]}


def test_before_the_first_training_the_model_is_missing(backend, new_service):
    fresh = new_service(**{name: value for name, value in backend.items() if name != "DATABASE_URL"})
    fresh.start("web")
    for answer in (fresh.client.post("/predict", json={"tweet": "good morning"}), fresh.client.get("/score")):
        assert answer.status_code == 503
        assert answer.json()["code"] == "model_missing"
        assert int(answer.headers["Retry-After"]) > 0
