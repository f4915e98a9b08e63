"""What any body can make the service do: counted in tokens, items and rows."""

import json
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.fields import empty

from api.labels.models import Label, Suggestion, Tweet
from api.verdicts import services
from api.web.fields import MAX_TOKENS_TOGETHER, MAX_TWEETS, TweetField
from hate_speech_AI.core import classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import load_encoder
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.store import ModelStore

pytestmark = pytest.mark.django_db

MEBIBYTE = 2**20
LONG = "漢字仮名" * 2500
ATTRIBUTES = {"IDENTITY_ATTACK": {}, "TOXICITY": {}}
MODERATIONS, ANALYZE, SUGGEST = "/v1/moderations", "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"


class Session:
    """Stands for the encoder's session: counts what it would read, and takes no time."""

    def __init__(self):
        self.tokens = 0

    def run(self, outputs, inputs):
        count, length = inputs["ids"].shape
        self.tokens += count * length
        return [np.zeros((count, 384), np.float32), np.zeros((count, length, 384), np.float32)][: len(outputs)]


@pytest.fixture(autouse=True)
def _open(settings):
    settings.OPEN_ACCESS = True


@pytest.fixture(scope="module")
def encoder_store(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("models") / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    return store


@pytest.fixture
def session(encoder_store, monkeypatch):
    """Serve the encoder with a session that only counts."""
    before = classifier.store, classifier.cache
    classifier.use(encoder_store)
    classifier.current()
    counting = Session()
    monkeypatch.setattr(load_encoder(), "_session", counting)
    yield counting
    classifier.use(*before)


def post(client, path, body, **extra):
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    assert len(content) <= MEBIBYTE
    return client.post(path, content, content_type="application/json", **extra)


def watch_items():
    """Patch the validation of a text so that its calls are recorded."""
    return mock.patch.object(TweetField, "run_validation", autospec=True, side_effect=TweetField.run_validation)


def count_read(validating):
    """Return how many texts a patched `TweetField.run_validation` was given."""
    return sum(call.args[-1] is not empty for call in validating.call_args_list)


def ask(text):
    """Return a request for one verdict of each route that judges."""
    return [
        ("/predict", {"tweet": text}),
        (MODERATIONS, {"input": text}),
        (ANALYZE, {"comment": {"text": text}, "requestedAttributes": ATTRIBUTES}),
    ]


def read_message(answer):
    body = answer.json()
    return body["detail"] if "detail" in body else body["error"]["message"]


# --- what is read of a text ---


def test_a_truncated_verdict_says_so_and_no_other_does(client, session):
    assert post(client, "/predict", {"tweet": LONG}).json()["truncated"] is True
    results = post(client, "/predict", {"tweets": ["Good morning", LONG], "explain": True}).json()["results"]
    assert ["truncated" in result for result in results] == [False, True]
    for path, body in ask(LONG[:6000])[1:]:
        answer = post(client, path, body)
        assert answer.status_code == 200
        assert b"truncated" not in answer.content


# --- what a request may cost ---


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"tweets": [LONG] * 30}),
        ("/predict", {"tweets": [LONG] * 30, "explain": True}),
        ("/predict", {"tweets": ["!?" * 5000] * 30}),
        ("/predict", {"tweets": ["\ufdfa " * 1500] * 90}),
        (MODERATIONS, {"input": [LONG] * 30}),
        (MODERATIONS, {"input": ["!?" * 30_000] * 5}),
    ],
)
def test_more_tokens_than_a_request_may_have_are_refused_and_nothing_is_encoded(client, session, path, body):
    answer = post(client, path, body)
    assert answer.status_code == 413
    assert read_message(answer) == "The texts have more than 100,000 tokens together. Send fewer at a time."
    assert session.tokens == 0


def test_the_largest_request_of_plain_english_is_answered(client, session):
    text = "The ferry to the islands is late again, and nobody at the harbour can say when it will leave. " * 4
    answer = post(client, "/predict", {"tweets": [text[:300]] * 1000})
    assert answer.status_code == 200
    assert "truncated" not in answer.json()["results"][0]
    assert post(client, "/predict", {"tweet": (text * 40)[:10_000]}).json().get("truncated") is None


@pytest.mark.parametrize("text", ["Good morning", LONG[:4000]])
def test_work_stops_at_the_deadline(client, session, settings, text):
    settings.ANSWER_SECONDS = -1
    for path, body in ask(text):
        answer = post(client, path, body)
        assert answer.status_code == 503
        assert "in time" in read_message(answer)
        assert int(answer.headers["Retry-After"]) > 0
    assert session.tokens == 0
    settings.ANSWER_SECONDS = 0
    assert post(client, *ask(text)[0]).status_code == 200


def test_work_stops_once_the_client_is_gone(client, session):
    asked = []
    for path, body in ask(LONG[:6000]):
        extra = {"api.is_client_gone": lambda: asked.append(1) or len(asked) % 5 == 0}
        assert post(client, path, body, **extra).status_code == 503
    assert session.tokens < 3 * 5 * 600


def test_commands_and_trainings_have_no_budget(session, settings):
    settings.ANSWER_SECONDS, settings.TOKEN_RATE_LIMIT = -1, 1
    assert len(services.judge([LONG] * 12, None)) == 12


def test_tokens_have_a_rate(client, session, settings):
    settings.TOKEN_RATE_LIMIT, settings.WEB_CONCURRENCY = 6_000, 1
    # An address of the test's own, since others count too.
    address = {"REMOTE_ADDR": "198.51.100.77"}
    assert post(client, "/predict", {"tweet": LONG[:5000]}, **address).status_code == 200
    before = session.tokens
    for path, body in ask(LONG[:5000]):
        answer = post(client, path, body, **address)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert session.tokens == before
    assert post(client, "/predict", {"tweet": LONG[:5000]}, REMOTE_ADDR="198.51.100.78").status_code == 200


# --- items are counted before they are read ---


def test_items_are_counted_before_any_is_validated(client):
    with watch_items() as validating:
        answer = post(client, "/predict", b'{"tweets":[' + b"1," * 500_000 + b"1]}")
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"tweets": ["Ensure this field has no more than 1000 elements."]}}
    assert count_read(validating) == 0


def test_only_the_first_ten_errors_are_told_and_looked_for(client):
    with watch_items() as validating:
        errors = post(client, "/predict", {"tweets": ["fine", 1] * 500}).json()["errors"]["tweets"]
    assert errors == [f"Item {at}: Not a valid string." for at in range(1, 21, 2)]
    assert count_read(validating) == 20


@pytest.mark.parametrize("item", ['""', "{}", "[]", "1", '{"type":"text","text":"a"}'])
def test_the_inputs_of_moderations_are_counted_first(client, item):
    count = (MEBIBYTE - 100) // (len(item) + 1)
    answer = post(client, MODERATIONS, f'{{"input":[{",".join([item] * count)}]}}'.encode())
    assert answer.status_code == 400
    assert read_message(answer) == "`input` may have 1,000 items at most."


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (ANALYZE, {"requestedAttributes": {f"A{at}": {} for at in range(50_000)}, "dropUnsupportedAttributes": True}),
        (ANALYZE, {"requestedAttributes": ATTRIBUTES, "languages": ["de"] * 100_000}),
        (SUGGEST, {"attributeScores": {"TOXICITY": {"spanScores": [{"begin": 0, "end": 1}] * 20_000}}}),
        (SUGGEST, {"attributeScores": {f"A{at}": {} for at in range(50_000)}}),
    ],
)
def test_what_a_request_in_perspectives_format_names_is_counted_first(client, path, fields):
    with mock.patch.object(services, "classifier") as asked:
        asked.current().engine.labels = ["hate", "toxic"]
        answer = post(client, path, {"comment": {"text": "a"}} | fields)
    assert answer.status_code == 400
    assert len(answer.content) < 1000
    asked.current().judge.assert_not_called()


@pytest.mark.parametrize(
    "attributes", [None, {}, {"NONE": {}}, {"TOXICITY": {"scoreType": "NONE"}}, {"TOXICITY": {"scoreThreshold": "1"}}]
)
def test_attributes_are_validated_before_anything_is_judged(client, session, attributes):
    body = {"comment": {"text": "A sentence. " * 99}, "requestedAttributes": attributes, "spanAnnotations": True}
    assert post(client, ANALYZE, body).status_code == 400
    assert session.tokens == 0


# --- what a request may store ---

MARKS = "א" + "\u0591" * 2559 + "\u05bc" * 2560 + "\u05b8" * 2560 + "\u05b0" * 2560


def suggest(text, spans, attributes=("TOXICITY",), is_whole=False):
    score = {"value": 1, "type": "PROBABILITY"}
    scores = {"spanScores": [{"begin": begin, "end": end, "score": score} for begin, end in spans]}
    scores |= {"summaryScore": score} if is_whole else {}
    return {"comment": {"text": text}, "attributeScores": dict.fromkeys(attributes, scores)}


def count_stored():
    return Tweet.objects.count(), Label.objects.count() + Suggestion.objects.count(), sum(map(len, all_texts()))


def all_texts():
    return Tweet.objects.values_list("text", flat=True)


def test_overlapping_spans_are_refused_before_any_is_fingerprinted(client, monkeypatch):
    asked = []
    monkeypatch.setattr("api.compat.perspective.request.fingerprint", lambda text: asked.append(text) or "")
    answer = post(client, SUGGEST, suggest(MARKS, [(at, len(MARKS) - at) for at in range(100)]))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "One request may bring 250 labels, of texts with 40,960 characters together."
    assert not asked
    assert count_stored() == (0, 0, 0)


def test_the_longest_comment_may_be_labelled_as_a_whole_and_in_all_its_parts(client):
    text = "".join(f"Sentence number {at:04}. " for at in range(930))[:20_480]
    spans = [(at * 204, at * 204 + 204) for at in range(100)]
    answer = post(client, SUGGEST, suggest(text, spans, ["IDENTITY_ATTACK", "TOXICITY"], is_whole=True))
    assert answer.status_code == 200
    assert Tweet.objects.count() == 101


# --- any body ---

PIECES = [
    "The ferry is late again. ", "漢字仮名", "!?", "\ufdfa ", "\ufdfa\ufdfb", "😀😅", "👩\u200d", "a ", "a.b-", "@a.b ", "#aA",
    "1 2 ", "\u0345\uff9e", "\u0301", "Â\u0080", "&#xfdfa; ", "\u00ad", "x\n", "h4", "ж", "www.", "<a ", "𝐀", "é", "%",
]  # fmt: skip
LENGTHS = [1, 30, 280, 300, 5000, 10_000, 20_480, 300_000]
COUNTS = [1, 2, 9, 60, 99, 100, 101, 250, 999, 1000, 1001, 5000, 500_000]
NAMES = [["TOXICITY"], ["IDENTITY_ATTACK", "TOXICITY"], [f"A{at}" for at in range(5000)]]
JUNK = [1, None, "", [], {}, {"a": 1}, True, 1e300, "\u0000"]


def name(names):
    return {attribute: {} for attribute in names}


# From a text, a list of texts or junk, attributes and a flag to a path and a body.
ROUTES = [
    lambda text, items, names, flag: ("/predict", {"tweet": text, "explain": flag}),
    lambda text, items, names, flag: ("/predict", {"tweets": items, "explain": flag}),
    lambda text, items, names, flag: (MODERATIONS, {"input": items}),
    lambda text, items, names, flag: (MODERATIONS, {"input": [{"type": "text", "text": item} for item in items]}),
    lambda text, items, names, flag: (
        ANALYZE,
        {
            "comment": {"text": text},
            "requestedAttributes": name(names),
            "languages": items if flag else [],
            "spanAnnotations": True,
        }
        | {"dropUnsupportedAttributes": not flag},
    ),
    lambda text, items, names, flag: (
        SUGGEST,
        suggest(text, [(at % len(text), len(text)) for at in range(len(items))], names[:2], flag),
    ),
    lambda text, items, names, flag: (SUGGEST, suggest(text, [(0, len(text))] * min(len(items), 9), names, flag)),
    lambda text, items, names, flag: ("/reviewed", {"tweet": text, "is_hate_speech": flag}),
]


@st.composite
def bodies(draw):
    """Draw a path, and a body of up to 1 MiB for it."""
    route, names, flag = draw(st.sampled_from(ROUTES)), draw(st.sampled_from(NAMES)), draw(st.booleans())
    piece, length, count = draw(st.sampled_from(PIECES)), draw(st.sampled_from(LENGTHS)), draw(st.sampled_from(COUNTS))
    junk = draw(st.sampled_from([None, None, *JUNK]))
    text = (piece * length)[:length]
    item = text if junk is None else junk
    items = [item] * min(count, MEBIBYTE // (len(json.dumps(item, ensure_ascii=False).encode()) + 2) + 1)
    while True:
        path, body = route(text, items, names, flag)
        content = json.dumps(body, ensure_ascii=False).encode()
        if len(content) <= MEBIBYTE:
            return path, content
        items = items[: len(items) * MEBIBYTE // len(content)] or [item]
        text = text if len(items) > 1 else text[: len(text) // 2]


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(bodies())
@example(("/predict", json.dumps({"tweets": ["漢字仮名" * 11] * 1000}, ensure_ascii=False).encode()))
@example(("/predict", json.dumps({"tweets": ["a"] * 1000, "explain": True}).encode()))
def test_no_body_costs_more_than_its_budget(client, session, body):
    path, content = body
    session.tokens = 0
    before = count_stored()
    with watch_items() as validating:
        answer = client.post(path, content, content_type="application/json")
    assert answer.status_code in (200, 400, 413), answer.content[:200]
    # Windows overlap by a third of their length.
    assert session.tokens <= 1.6 * MAX_TOKENS_TOGETHER
    assert count_read(validating) <= MAX_TWEETS
    tweets, labels, characters = (after - old for after, old in zip(count_stored(), before, strict=True))
    assert tweets <= 250
    assert labels <= 500  # what is hate is toxic too
    assert characters <= 40_960
    if answer.status_code != 200:
        assert (session.tokens, tweets, labels) == (0, 0, 0)
        assert len(answer.content) < 3000 + 3 * len(content)  # some errors quote what was sent
