"""A release starts on what an older one left: it migrates, answers as before, loses nothing and trains.

Each folder beside this file is named after a release and holds what `make_fixture.py` wrote with it.
"""

import pytest

from .installation import Upgraded, logged_in, manage, predict

# Processors differ in how they round the encoder's 8-bit sums.
TOLERANCE = {"encoder": 0.02, "linear": 1e-6}


def assert_same_reviews(before: list[dict], now: list[dict]) -> None:
    """Compare what people said: it is answered exactly."""
    for old, new in zip(before, now, strict=True):
        for label, probability in old["labels"].items():
            if probability in (0, 1):
                assert new["labels"][label] == probability, old["text"]
        if "source" in old:
            assert (new["source"], new["is_hate_speech"]) == ("review", old["is_hate_speech"]), old["text"]
            assert new["probability"] == old["probability"], old["text"]


def assert_same_answers(upgraded: Upgraded, now: list[dict]) -> None:
    """Compare all answers of the version that was active in the older release."""
    assert_same_reviews(upgraded.before["answers"], now)
    for old, new in zip(upgraded.before["answers"], now, strict=True):
        assert new["version"] == upgraded.before["active"]
        assert new["is_hate_speech"] == old["is_hate_speech"], old["text"]
        again = {label: new["labels"][label] for label in old["labels"]}  # this release may know more
        assert again == pytest.approx(old["labels"], abs=TOLERANCE[upgraded.engine]), old["text"]
        assert new.get("source") == old.get("source"), old["text"]


# --- at the start ---


def test_the_migrations_are_applied(upgraded):
    manage(upgraded.service, "migrate", "--check")


def test_no_row_is_lost(upgraded):
    counts = upgraded.found["counts"]
    assert {table: n for table, n in upgraded.expected["counts"].items() if counts[table] < n} == {}


def test_every_label_is_exported(upgraded):
    found = upgraded.found["export"]
    assert [row for row in upgraded.expected["export"] if row not in found] == []
    assert len(found) == upgraded.expected["exported"]


def test_a_key_opens_its_scopes_and_nothing_else(upgraded):
    client = upgraded.service.client
    for name, key in upgraded.expected["keys"].items():
        shown = upgraded.header(name)
        found = {
            "predict": client.post("/predict", json={}, headers=shown).status_code,
            "review": client.post("/reviewed", json={}, headers=shown).status_code,
            "admin": client.get("/train/1", headers=shown).status_code,
        }
        # An empty request is 400 to whoever may send it.
        opened = {"predict": 400, "review": 400, "admin": 200}
        expected = {scope: 401 if key["revoked"] else opened[scope] if scope in key["scopes"] else 403 for scope in opened}
        assert found == expected, name


def test_versions_and_trainings_are_listed_as_before(upgraded):
    found = {model["version"]: model for model in upgraded.found["models"]}
    for model in upgraded.expected["models"]:
        for name in ("created_at", "engine", "outcome", "parent", "score", "reasons", "activations", "pruned"):
            assert found[model["version"]][name] == model[name]
    scores = {entry["version"]: entry for entry in upgraded.found["history"]}
    for entry in upgraded.expected["history"]:
        assert {**scores[entry["version"]], "active": entry["active"]} == entry
    # An earlier release set nothing aside, and withdrew nothing.
    assert upgraded.found["runs"] == [{"kind": "training", "set_aside": [], **run} for run in upgraded.expected["runs"]]


def test_every_report_opens(upgraded):
    for version in upgraded.before["versions"]:
        report = upgraded.service.client.get(f"/models/{version}/report", headers=upgraded.header("operator"))
        assert report.status_code == 200
        assert version in report.text


def test_reviewed_texts_are_answered_as_before(upgraded):
    assert_same_reviews(upgraded.before["answers"], upgraded.answers)


def test_the_version_that_was_active_answers_all_texts_as_before(upgraded):
    if upgraded.is_foreign:
        assert {answer["version"] for answer in upgraded.answers}.isdisjoint(upgraded.before["versions"])
    else:
        assert_same_answers(upgraded, upgraded.answers)


def test_the_moderator_logs_in_and_finds_what_waits(upgraded):
    with logged_in(upgraded) as admin:
        suggestions = admin.get("/admin/api/suggestion/").text
        for text in upgraded.expected["suggestions"]:
            assert text in suggestions
        assert "created key" in admin.get("/admin/api/auditentry/").text


# --- a training ---


@pytest.mark.slow
def test_a_training_makes_a_version_that_knows_every_review(upgraded, trained):
    assert_same_reviews(upgraded.before["answers"], trained.answers)
    assert {answer["version"] for answer in trained.answers} == {trained.version}
    assert [answer["probability"] for answer in trained.new_answers] == [1] + [0] * len(upgraded.expected["posts"])
    assert {answer["source"] for answer in trained.new_answers} == {"review"}


@pytest.mark.slow
def test_the_new_version_is_listed_beside_the_old_ones(upgraded, trained):
    listed = {model["version"]: model for model in trained.models}
    assert {model["version"] for model in upgraded.expected["models"]} < set(listed)
    assert listed[trained.version]["engine"] == upgraded.engine
    if not upgraded.is_foreign:
        assert listed[trained.version]["parent"] == upgraded.before["active"]


@pytest.mark.slow
def test_every_old_version_of_this_encoder_can_be_activated(upgraded, trained):
    service, operator = upgraded.service, upgraded.header("operator")
    for version in [*upgraded.before["versions"], upgraded.before["active"]]:
        answer = service.client.post(f"/models/{version}/activate", headers=operator)
        if upgraded.is_foreign:
            assert answer.status_code >= 400
            assert "encoder" in answer.json()["detail"]
        else:
            assert answer.status_code == 200
            service.wait_for_version(version)
    if not upgraded.is_foreign:
        assert_same_answers(upgraded, predict(service, upgraded.texts))
        manage(service, "models", "activate", trained.version)
        assert upgraded.before["active"] in manage(service, "models", "rollback")
