import pytest

pytestmark = pytest.mark.embedded


def test_it_works(service):
    answer = service.client.post("/predict", json={"tweet": "I hate immigrants, all of them"})
    assert answer.status_code == 200
    verdict = answer.json()
    assert set(verdict) == {"is_hate_speech", "probability", "threshold", "version", "labels"}
    assert verdict["is_hate_speech"] is (verdict["probability"] >= verdict["threshold"])
    assert 0 <= verdict["probability"] <= 1
    assert verdict["version"] == answer.headers["x-model-version"] == service.active_version()


def test_several_texts_are_answered_in_order(service):
    words = ["good", "morning", "hate", "love", "people", "all"]
    # Each with words of its own, so that no two get the same probability.
    texts = [" ".join(word for at, word in enumerate(words) if number >> at & 1) for number in range(1, 41)]
    results = service.client.post("/predict", json={"tweets": texts}).json()["results"]
    alone = [service.client.post("/predict", json={"tweet": text}).json()["probability"] for text in texts]
    assert [result["probability"] for result in results] == pytest.approx(alone, abs=1e-9)
    assert len({round(probability, 6) for probability in alone}) == len(texts)


def test_a_form_is_taken_too(service):
    assert service.client.post("/predict", data={"tweet": "good morning"}).status_code == 200
    assert service.client.post("/predict", files={"tweet": (None, "good morning")}).status_code == 200


@pytest.mark.parametrize("path", ["/predict/", "/predict"])
def test_a_trailing_slash_is_no_redirect(service, path):
    assert service.client.post(path, json={"tweet": "good morning"}, follow_redirects=False).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_the_answer_is_json_whatever_is_asked_for(service, accept):
    answer = service.client.post("/predict", json={"tweet": "good morning"}, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body", [{"tweet": "x" * 10_000}, {"tweets": ["é" * 300] * 1000}, {"tweets": ["\u0345\u0301" * 5000] * 30}]
)
def test_the_largest_legal_requests_are_answered(service, body):
    answer = service.client.post("/predict", json=body)
    assert answer.status_code == 200
    assert len(answer.json().get("results", [answer])) == len(body.get("tweets", ["one"]))


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


def test_before_the_first_training_the_model_is_missing(untrained_service):
    client = untrained_service.client
    for answer in (client.post("/predict", json={"tweet": "good morning"}), client.get("/score")):
        assert answer.status_code == 503
        assert answer.json()["code"] == "model_missing"
        assert int(answer.headers["Retry-After"]) > 0
