"""Versions over HTTP and by command, on a real service."""

import uuid

import pytest

from ...service import wait_until


@pytest.fixture
def two_versions(service) -> list[str]:
    """Give the names of the last two versions of the shared service; the newer one is active and not pinned."""
    if len(service.versions()) < 2:
        service.train_a_new_version()
    return service.versions()[-2:]


def test_the_list_is_newest_first_and_in_pages(service, two_versions):
    page = service.client.get("/models", params={"page_size": 1}).json()
    assert page["count"] >= 2
    assert page["results"][0]["version"] == two_versions[1]
    assert page["results"][0]["active"] is True
    second = service.client.get(page["next"]).json()
    assert second["results"][0]["version"] == two_versions[0]
    assert second["results"][0]["active"] is False
    assert service.client.get("/models", params={"page": 10_000}).status_code == 404


def test_one_version_shows_every_condition(service):
    service.train_a_new_version()  # it learns a review; the next is asked whether it still knows that one
    shown = service.client.get(f"/models/{service.train_a_new_version()}").json()
    assert shown["parent"]
    assert (shown["outcome"] == "refused") is not shown["gate"]["passed"]
    kinds = {condition["kind"] for condition in shown["gate"]["conditions"]}
    assert {"f1", "functional_group", "false_positive_gap", "reviews"} == kinds
    for condition in shown["gate"]["conditions"]:
        assert {"candidate", "rival", "rival_version", "limit", "passed"} <= set(condition)
    assert shown["activations"]


@pytest.mark.embedded
@pytest.mark.parametrize("path", ["/models/{}", "/models/{}/report"])
@pytest.mark.parametrize("name", ["nope", "20200101T000000Z-00000000", "..%2F..%2Fsecret_key"])
def test_a_version_that_is_not_there_is_404(service, path, name):
    answer = service.client.get(path.format(name))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.embedded
def test_activating_an_older_version_pins_it_and_the_newest_unpins(service, two_versions):
    older, _ = two_versions
    answer = service.client.post(f"/models/{older}/activate")
    assert answer.status_code == 200
    assert answer.json() == {"version": older, "pinned": True}
    service.wait_for_version(older)
    score = service.client.get("/score").json()
    assert (score["version"], score["pinned"]) == (older, True)
    shown = service.client.get(f"/models/{older}").json()
    assert (shown["active"], shown["pinned"]) == (True, True)
    assert shown["activations"][-1]["by"] == "hand"

    # A candidate is trained, judged and listed, and not activated.
    service.review(f"a row of {uuid.uuid4()}", False)
    run = service.train()
    assert service.active_version() == older
    held = service.client.get("/models").json()["results"][0]
    assert held["version"] == run["version"]
    assert held["outcome"] == run["outcome"] in ("held_back", "refused")
    assert held["active"] is False

    assert service.manage("models", "unpin").returncode == 0
    assert service.client.get("/score").json()["pinned"] is False
    answer = service.client.post(f"/models/{held['version']}/activate")
    assert answer.json() == {"version": held["version"], "pinned": False}


def test_activating_twice_is_one_activation(service, two_versions):
    before = len(service.client.get(f"/models/{two_versions[0]}").json()["activations"])
    for _ in range(2):
        assert service.client.post(f"/models/{two_versions[0]}/activate").json()["version"] == two_versions[0]
    assert len(service.client.get(f"/models/{two_versions[0]}").json()["activations"]) == before + 1


@pytest.mark.embedded
def test_a_corrupt_version_is_refused_and_the_old_one_goes_on(service, two_versions):
    older, newest = two_versions
    path = service.store / older / "model.npz"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    try:
        answer = service.client.post(f"/models/{older}/activate")
        assert answer.status_code == 409
        assert answer.json()["code"] == "version_unusable"
        assert "sha256" in answer.json()["detail"]
        assert service.manage("models", "activate", older).returncode == 1
    finally:
        path.write_bytes(content)
    assert service.active_version() == newest
    assert service.client.get(f"/models/{newest}").json()["active"] is True


def test_rollback_by_command(service, two_versions):
    older, newest = two_versions
    service.client.post(f"/models/{older}/activate")
    service.client.post(f"/models/{newest}/activate")
    done = service.manage("models", "rollback")
    assert done.returncode == 0
    assert f"Version {older} is active and pinned" in done.stdout
    assert service.active_version() == older
    listed = service.manage("models", "list").stdout
    assert f"{older}  score" in listed
    assert "active, pinned" in listed
    assert service.manage("models", "activate", newest).returncode == 0


@pytest.mark.embedded
def test_the_report_is_served_sandboxed(service, two_versions):
    answer = service.client.get(f"/models/{two_versions[1]}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert two_versions[1] in answer.text


def test_the_history_of_scores(service, two_versions):
    entries = service.client.get("/score/history").json()["results"]
    assert [entry["version"] for entry in entries[:2]] == two_versions[::-1]
    assert entries[0]["score"] == service.client.get("/score").json()["score"]
    assert [entry["active"] for entry in entries].count(True) == 1


def test_a_training_over_http(service):
    service.wait_until_idle()
    service.review(f"a row for POST /train, {uuid.uuid4()}", False)
    answer = service.client.post("/train")
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/train/{run['run']}"
    assert run["stage"] != "finished"
    assert service.client.post("/train").json()["run"] == run["run"]  # joined
    done = wait_until(lambda: service.finished_run(f"/train/{run['run']}"), 60, "the training")
    assert done["percent"] == 100
    assert done["outcome"] in ("promoted", "refused")
    assert done["version"] == service.versions()[-1]
    assert service.client.get("/train/999999").status_code == 404


@pytest.mark.embedded
def test_a_reviewed_tweet_is_answered_as_reviewed_from_the_next_version_on(service):
    text = f"Dandelions are a NUISANCE, {uuid.uuid4()}"
    before = service.client.post("/predict", json={"tweet": text}).json()
    assert "source" not in before
    said = not before["is_hate_speech"]
    service.review(text, said)
    assert "source" not in service.client.post("/predict", json={"tweet": text}).json()
    version = service.train_a_new_version()
    answers = service.client.post("/predict", json={"tweets": [text, f"  {text.upper()} ", "another text"]}).json()["results"]
    for answer in answers[:2]:
        assert answer == {
            "is_hate_speech": said,
            "probability": float(said),
            "threshold": answer["threshold"],
            "version": version,
            "labels": {"hate": float(said)},
            "source": "review",
        }
    assert "source" not in answers[2]


@pytest.fixture
def by_default(service, tmp_path):
    """Give the shared service's web again, with nothing said of who may use it."""
    with service.beside(tmp_path) as web:
        del web.environment["HATE_SPEECH_OPEN_ACCESS"]
        web.start("web")
        yield web


@pytest.mark.embedded
def test_open_access_is_off_by_default_and_nothing_can_be_changed_or_read(by_default, service, two_versions):
    name = two_versions[0]
    changing = [("POST", f"/models/{name}/activate"), ("POST", "/train"), ("GET", f"/models/{name}/report")]
    for method, path in [*changing, ("GET", "/models"), ("GET", f"/models/{name}"), ("GET", "/score/history"), ("GET", "/score")]:
        answer = by_default.client.request(method, path)
        assert answer.status_code == 401, path
        assert answer.json()["code"] == "api_key_missing"
    assert service.active_version() == two_versions[1]


@pytest.mark.embedded
def test_another_site_cannot_train_or_activate(service, two_versions):
    for path in ("/train", f"/models/{two_versions[0]}/activate"):
        answer = service.client.post(path, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross_site"
    assert service.active_version() == two_versions[1]
