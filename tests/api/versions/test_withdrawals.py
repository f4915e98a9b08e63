"""Withdrawing reviews over HTTP: out of every answer at once, and out of the model by a version that says why it came."""

import uuid
from contextlib import ExitStack

import httpx
import pytest

from ...service import wait_until


def say(service, text: str) -> list[bool | None]:
    """Return what the review of a text says; `None` where the model answers. Web is two processes: both are asked."""
    answers = []
    for _ in range(6):
        with httpx.Client(base_url=service.url, timeout=30) as client:
            verdict = client.post("/predict", json={"tweet": text}).json()
        answers.append(verdict["is_hate_speech"] if verdict.get("source") == "review" else None)
    return answers


def withdraw(service, **asked) -> httpx.Response:
    return service.client.post("/reviewed/withdraw", json=asked)


def count_labels(service, text: str) -> str:
    return service.query(
        "from api.labels.models import Label; from hate_speech_AI.text import fingerprint;"
        f"labels = Label.objects.filter(tweet__fingerprint=fingerprint({text!r}));"
        "print(labels.count(), labels.filter(is_current=True).count())"
    )


def find_withdrawal(service, after: str) -> dict | None:
    """Return the version that a withdrawal made of version `after`, once it is there."""
    made = [one for one in service.client.get("/models").json()["results"] if one["parent"] == after and one["withdrawn"]]
    return made[0] if made else None


def test_it_is_out_of_every_answer_at_once(service):
    text = f"The ferries are late, {uuid.uuid4()}"
    service.review(text, True)
    service.train_a_new_version()
    wait_until(lambda: say(service, text) == [True] * 6, what="the review")
    answer = withdraw(service, tweet=text.upper())
    assert answer.status_code == 200
    assert (answer.json()["withdrawn"], answer.json()["suggestions"]) == (1, 0)
    wait_until(lambda: say(service, text) == [None] * 6, 10, "the withdrawal")
    assert count_labels(service, text) == "1 0"
    assert withdraw(service, tweet=text).status_code == 404
    service.wait_until_idle()
    # It can be given again.
    service.review(text, False)
    service.train_a_new_version()
    wait_until(lambda: say(service, text) == [False] * 6, what="the new review")
    assert count_labels(service, text) == "2 1"


def test_a_restart_does_not_bring_it_back(service):
    text = f"The trams are late, {uuid.uuid4()}"
    service.review(text, True)
    version = service.train_a_new_version()
    assert withdraw(service, tweet=text).status_code == 200
    wait_until(lambda: say(service, text) == [None] * 6, 10, "the withdrawal")
    service.wait_until_idle()
    service.kill("web")
    service.start("web")
    # Nor does the version that has learned it.
    assert service.client.post(f"/models/{version}/activate").status_code == 200
    service.wait_for_version(version)
    assert say(service, text) == [None] * 6


@pytest.mark.embedded
def test_what_may_be_asked(service):
    assert withdraw(service, tweet="nobody has reviewed this").json()["code"] == "not_found"
    for asked in (
        {},
        {"tweet": "a", "review": 1},
        {"review": 0},
        {"review": "x"},
        {"review": 2**63},
        {"tweet": ""},
        {"tweet": None},
    ):
        assert withdraw(service, **asked).status_code == 400, asked
    assert withdraw(service, review=2**63 - 1).status_code == 404


def test_a_version_without_it_is_made_of_the_active_one(encoder_service):
    service = encoder_service
    mark = uuid.uuid4().hex
    text = f"The grumblers of {mark} should all be thrown out"
    others = [f"The grumblers of {mark} bake cake number {number}" for number in range(5)]
    for other in others:
        service.review(other, False)
    service.review(text, True)
    parent = service.train_a_new_version()
    before = service.client.post("/reviewed/influence", json={"tweet": text, "limit": 50}).json()
    assert withdraw(service, tweet=text).status_code == 200
    version = wait_until(lambda: find_withdrawal(service, parent), 60, "the version without it")
    wait_until(lambda: service.active_version() == version["version"], what="its activation")
    assert [(group["source"], group["labels"]) for group in version["withdrawn"]] == [("review", 1)]
    assert version["outcome"] == "promoted"
    detail = service.client.get(f"/models/{version['version']}").json()
    assert {one["kind"] for one in detail["gate"]["conditions"]} == {"functional_group", "false_positive_gap"}
    assert "which were withdrawn" in service.client.get(f"/models/{version['version']}/report").text
    service.wait_for_version(version["version"])
    after = service.client.post("/reviewed/influence", json={"tweet": text, "limit": 50}).json()
    own = {one["tweet"]: one["effect"] for one in before["reviews"]}
    if text in own:  # it was not held out
        assert own[text] > 0
        # The effect that was told is what the logit lost.
        assert after["logit"] == pytest.approx(before["logit"] - own[text], abs=0.02 + 0.1 * own[text])
    assert text not in {one["tweet"] for one in after["reviews"]}
    runs = service.query("from api.versions.models import TrainingRun; print(TrainingRun.objects.latest('id').kind)")
    assert runs == "withdrawal"
    assert "withdrawn: 1 from review" in service.manage("models", "list").stdout
    # The next training is a training again, though no label came.
    run = service.train()
    assert (run["kind"], run["outcome"] != "unchanged") == ("training", True)


def test_the_command_withdraws(encoder_service):
    service = encoder_service
    text = f"The clocks of {uuid.uuid4()} are slow"
    service.review(text, True)
    parent = service.train_a_new_version()
    done = service.manage("labels", "withdraw", "--text", text)
    assert done.returncode == 0, done.stderr
    assert "1 label withdrawn" in done.stdout
    wait_until(lambda: say(service, text) == [None] * 6, 10, "the withdrawal")
    wait_until(lambda: find_withdrawal(service, parent), 60, "the version without it")
    service.wait_until_idle()


@pytest.fixture(scope="module")
def closed(encoder_service, tmp_path_factory):
    """Give the same service with keys, and a client for each kind of key."""
    with encoder_service.beside(tmp_path_factory.mktemp("closed"), HATE_SPEECH_OPEN_ACCESS="false") as web:
        web.start("web")
        yield web


@pytest.fixture
def make_client(closed):
    """Give a function that makes a key and returns a client with it."""
    with ExitStack() as clients:

        def make(*options: str) -> httpx.Client:
            made = closed.manage("api_keys", "create", f"key-{uuid.uuid4().hex}", *options)
            assert made.returncode == 0, made.stderr
            headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
            return clients.enter_context(httpx.Client(base_url=closed.url, timeout=30, headers=headers))

        yield make


def test_each_key_withdraws_and_reads_what_it_may(encoder_service, closed, make_client):
    predicting = make_client("--scopes", "predict")
    forum, other = (make_client("--scopes", "review", "--trusted") for _ in range(2))
    untrusted = make_client("--scopes", "review")
    admin = make_client("--scopes", "review,admin")
    mark = uuid.uuid4().hex
    texts = [f"The bridges of {mark} are closed, part {number}" for number in range(6)]
    for text in texts:
        said = {"tweet": text, "is_hate_speech": False}
        assert forum.post("/reviewed", json=said).status_code == 200
        assert untrusted.post("/reviewed", json=said).status_code == 200
    encoder_service.train_a_new_version()

    asked = {"tweet": f"The bridges of {mark} are closed again", "limit": 20}
    assert predicting.post("/reviewed/influence", json=asked).status_code == 403
    for client, may_read in ((forum, True), (admin, True), (other, False), (untrusted, False)):
        wait_until(lambda client=client: client.post("/reviewed/influence", json=asked).json().get("reviews"), what="influence")
        answer = client.post("/reviewed/influence", json=asked)
        found = answer.json()["reviews"]
        assert answer.headers["X-Model-Version"] == answer.json()["version"]
        assert found
        assert {one.get("tweet") for one in found} & {*texts} if may_read else not any("tweet" in one for one in found)
        assert all({"effect", "is_hate_speech"} <= set(one) for one in found)
    [number, *_] = [
        one["review"] for one in admin.post("/reviewed/influence", json=asked).json()["reviews"] if one["tweet"] in texts
    ]

    assert predicting.post("/reviewed/withdraw", json={"tweet": texts[0]}).status_code == 403
    for body in ({"tweet": texts[0]}, {"review": number}):
        assert other.post("/reviewed/withdraw", json=body).status_code == 404
    assert untrusted.post("/reviewed/withdraw", json={"review": number}).status_code == 404
    taken_back = untrusted.post("/reviewed/withdraw", json={"tweet": texts[0]}).json()
    assert (taken_back["withdrawn"], taken_back["suggestions"]) == (0, 1)
    assert forum.post("/reviewed/withdraw", json={"review": number}).json()["withdrawn"] == 1
    assert sum(admin.post("/reviewed/withdraw", json={"tweet": text}).status_code == 200 for text in texts) == 5
    trail = closed.query("from api.access.models import AuditEntry; print([*AuditEntry.objects.filter(what='withdrew')][-1])")
    assert "1 labels of review by key key-" in trail
    encoder_service.wait_until_idle()


@pytest.mark.embedded
def test_the_linear_engine_traces_nothing(service):
    assert service.client.post("/reviewed/influence", json={"tweet": "fog"}).status_code == 400
