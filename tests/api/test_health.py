import shutil

import pytest
from django.conf import settings

from ..service import wait_until

RELEASE = {"version": settings.VERSION, "commit": settings.COMMIT}


def test_healthz_says_that_the_process_is_up(service):
    assert service.client.get("/healthz").json() == {"status": "ok"}


def test_readyz_names_each_part(service):
    answer = service.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "ok", "model": "ok", **RELEASE}


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/"])
def test_probes_by_address_are_answered_whatever_names_the_service_has(client, db, path):
    assert b"ALLOWED_HOSTS" in client.get("/score", headers={"host": "10.1.2.3"}).content
    assert set(client.get(path, headers={"host": "10.1.2.3:8000"}).json()) & {"status", "database"}


def test_only_a_question_is_excused_from_the_host_check(client):
    answer = client.post("/healthz", headers={"host": "10.1.2.3", "origin": "https://example.org"})
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"Host": ["This name is not in ALLOWED_HOSTS."]}}


def test_readyz_is_503_without_a_model(untrained_service):
    answer = untrained_service.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "broker": "ok", "model": "missing", **RELEASE}


def test_readyz_is_503_without_a_database(new_service):
    lost = new_service(DATABASE_URL="postgres://nobody@127.0.0.1:9/nothing?connect_timeout=1")
    lost._is_migrated = True
    lost.start("web")
    answer = wait_until(lambda: lost.client.get("/readyz"))
    assert answer.status_code == 503
    assert answer.json()["database"] == "not reachable"
    answer = lost.client.post("/reviewed", json={"tweet": "a text", "is_hate_speech": True})
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"


def test_a_broken_pointer_is_503_and_the_loaded_version_goes_on(new_service, trained_store):
    broken = new_service()
    shutil.copytree(trained_store.root, broken.store)
    broken.start("web")
    version = broken.wait_for_version()
    (broken.store / "active").write_text("nonsense")
    answer = broken.client.get("/score")
    assert answer.status_code == 503
    assert answer.json()["code"] == "model_unusable"
    assert broken.client.post("/predict", json={"tweet": "a text"}).json()["version"] == version
