"""What every writing path refuses, in one shape, storing nothing."""

import json

import pytest

PATHS = ["/predict", "/reviewed"]

BAD_TWEETS = {
    "a number": "3",
    "a list": '["a"]',
    "an object": '{"a": "b"}',
    "null": "null",
    "true": "true",
    "nothing": '""',
    "blanks": '" \\n\\t\\u3000"',
    "too long": json.dumps("x" * 10_001),
    "a NUL": '"a\\u0000b"',
    "a lone surrogate": '"a\\ud800b"',
}

BAD_BODIES = {
    "nothing": b"",
    "broken JSON": b'{"tweet": "a',
    "an array": b'["a"]',
    "a number": b"3",
    "a string": b'"a"',
    "null": b"null",
    "NaN": b'{"tweet": NaN, "is_hate_speech": true}',
    "no UTF-8": b'{"tweet": "\xff", "is_hate_speech": true}',
    "deep nesting": b'{"tweet": ' + b"[" * 100_000 + b"]" * 100_000 + b', "is_hate_speech": true}',
    "a deep unknown field": b'{"tweet": "a", "is_hate_speech": 1, "x": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "a huge number": b'{"tweet": ' + b"9" * 5000 + b', "is_hate_speech": true}',
}


def count(service) -> str:
    return service.query("from api.labels.models import Label, Tweet; print(Tweet.objects.count(), Label.objects.count())")


@pytest.fixture(scope="module", autouse=True)
def nothing_is_stored(service):
    before = count(service)
    yield
    assert count(service) == before


def post(service, path, content, content_type="application/json"):
    return service.client.post(path, content=content, headers={"Content-Type": content_type})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tweet", BAD_TWEETS.values(), ids=BAD_TWEETS)
def test_a_bad_tweet_is_400(service, path, tweet):
    answer = post(service, path, f'{{"tweet": {tweet}, "is_hate_speech": true}}'.encode())
    assert answer.status_code == 400
    assert list(answer.json()) == ["errors"]
    assert answer.json()["errors"]["tweet"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_400(service, path, body):
    answer = post(service, path, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize("value", ["1", "0", "null", '"true"', '"maybe"', "[]", "{}", "1.0"])
def test_is_hate_speech_is_true_or_false_and_nothing_else(service, value):
    answer = post(service, "/reviewed", f'{{"tweet": "a text", "is_hate_speech": {value}}}'.encode())
    assert answer.status_code == 400
    assert answer.json()["errors"]["is_hate_speech"]


@pytest.mark.parametrize("missing", ["tweet", "is_hate_speech"])
def test_a_review_needs_both_fields(service, missing):
    body = {"tweet": "a text", "is_hate_speech": True}
    del body[missing]
    for answer in (service.client.post("/reviewed", json=body), service.client.post("/reviewed", data=body)):
        assert answer.status_code == 400
        assert answer.json()["errors"][missing] == ["This field is required."]


def test_an_absent_checkbox_does_not_read_as_false(service):
    for answer in (
        service.client.post("/reviewed", data={"tweet": "a text"}),
        service.client.post("/reviewed", files={"tweet": (None, "a text")}),
    ):
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["is_hate_speech"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1024 * 1024 + 1, 5 * 1024 * 1024])
def test_a_body_over_1_mib_is_413(service, path, size):
    answer = post(service, path, b'{"tweet": "' + b"x" * size + b'"}')
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_in_chunks_is_read(service, path):
    answer = post(service, path, iter([b'{"tweet": ', b'3, "is_hate_speech": true}']))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["tweet"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_in_chunks_that_grows_over_1_mib_is_413(service, path):
    answer = post(service, path, (b" " * 16_000 for _ in range(100)))
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"


@pytest.mark.parametrize("path", PATHS)
def test_another_content_type_is_415(service, path):
    answer = post(service, path, b"<tweet/>", "application/xml")
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/predict"), ("DELETE", "/reviewed"), ("POST", "/"), ("POST", "/score"), ("PUT", "/healthz")]
)
def test_another_method_is_405(service, method, path):
    answer = service.client.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/nope", "/predict/nope", "/%00", "/administration", "/static/../api/models.py", "/predict//"])
def test_an_unknown_path_is_404(service, path):
    answer = service.client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "code"}


def test_a_form_of_thousands_of_fields_is_400(service):
    answer = service.client.post("/reviewed", data={f"field{number}": "x" for number in range(3000)})
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "", "localhost:80@evil.test"])
def test_only_this_machines_names_are_answered(service, host):
    answer = service.client.post("/predict", json={"tweet": "a text"}, headers={"Host": host})
    assert answer.status_code == 400
    if host:
        assert answer.json()["errors"]["Host"]


def test_no_text_reaches_the_log(service):
    secret = "a rather recognisable sentence"
    before = len(service.log("web"))
    service.client.post("/predict", json={"tweet": secret})
    service.client.post("/predict", json={"tweet": secret + "\0"})
    service.client.post("/predict", content=secret.encode(), headers={"Content-Type": "application/json"})
    added = service.log("web")[before:]
    assert secret not in added
    assert "Traceback" not in added
