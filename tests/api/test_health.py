import os
import shutil
import signal
import sqlite3
import subprocess
import threading

import pytest
from django.conf import settings

from api.health.readiness import Part

from ..service import wait_until

RELEASE = {"version": settings.VERSION, "commit": settings.COMMIT}
READY = dict.fromkeys(["database", "broker", "worker", "beat", "disk", "model"], "ok") | RELEASE


def parts_of(service, **query: str) -> dict[str, str]:
    return service.client.get("/readyz", params=query).json()


def forget_heartbeat(service, name: str) -> None:
    """As if the time had passed in which a process must show itself."""
    os.utime(service.folder / f"{name}.alive", (0, 0))


@pytest.fixture(params=["files", "Redis"])
def queue(request) -> dict[str, str]:
    if request.param == "files":
        return {}
    shared = request.getfixturevalue("redis_environment")
    return shared | {"REDIS_KEY_PREFIX": shared["REDIS_KEY_PREFIX"] + "ready:"}


@pytest.fixture
def untrained(new_service, trained_store):
    """Give a function that makes a service with a version, whose processes are not started yet."""

    def make(**environment: str):
        service = new_service(**environment)
        shutil.copytree(trained_store.root, service.store)
        return service

    return make


def test_healthz_says_that_the_process_is_up(service):
    assert service.client.get("/healthz").json() == {"status": "ok"}


def test_readyz_tells_of_each_process_that_ends(queue, untrained):
    service = untrained(**queue)
    service.start("web", "worker", "beat")
    answer = wait_until(lambda: (found := service.client.get("/readyz")).status_code == 200 and found, 60, "readiness")
    assert answer.json() == READY

    service.kill("beat")
    forget_heartbeat(service, "beat")
    parts = wait_until(lambda: (found := parts_of(service))["beat"] != "ok" and found)
    assert (parts["beat"], parts["worker"]) == ("not running", "ok")

    service.kill("worker")
    forget_heartbeat(service, "worker")
    wait_until(lambda: parts_of(service)["worker"] == "not running")
    assert service.client.get("/readyz").status_code == 503
    assert parts_of(service)["broker"] == "ok"
    answer = service.client.get("/readyz", params={"for": "serving"})
    assert answer.status_code == 200
    assert answer.json() == {"model": "ok", **RELEASE}


@pytest.mark.slow
def test_a_worker_that_stands_still_is_not_running(queue, untrained):
    service = untrained(**queue)
    service.start("web", "worker")
    wait_until(lambda: parts_of(service)["worker"] == "ok", 60, "the worker")
    os.killpg(service.processes["worker"].pid, signal.SIGSTOP)
    wait_until(lambda: parts_of(service)["worker"] == "not running", 60, "the news")
    os.killpg(service.processes["worker"].pid, signal.SIGCONT)
    wait_until(lambda: parts_of(service)["worker"] == "ok", 60, "the worker")


@pytest.mark.parametrize("asked", ["for=", "for=everything", "for=serving&for=serving", "for=Serving"])
def test_readyz_for_something_unknown_is_an_error(service, asked):
    answer = service.client.get(f"/readyz?{asked}")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"for"}


def test_a_check_runs_once_however_many_ask():
    count, go = 0, threading.Event()

    def check() -> str:
        nonlocal count
        count += 1
        go.wait()
        return "ok"

    part = Part(check)
    ends = [part.begin_check() for _ in range(20)]
    assert part.state == "no answer"
    go.set()
    for end in ends:
        end.result()
    assert count == 1
    assert part.begin_check() is None  # fresh
    assert part.state == "ok"


def test_a_check_that_breaks_is_a_fault_and_is_logged(caplog):
    part = Part(lambda: {}["missing"])
    part.begin_check().result()
    assert part.state == "cannot be checked"
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/"])
def test_probes_by_address_are_answered_whatever_names_the_service_has(service, path):
    strict = {"host": "10.1.2.3:8000"}
    assert b"ALLOWED_HOSTS" in service.client.get("/score", headers=strict).content
    assert set(service.client.get(path, headers=strict).json()) & {"status", "database"}


def test_only_a_question_is_excused_from_the_host_check(client):
    answer = client.post("/healthz", headers={"host": "10.1.2.3", "origin": "https://example.org"})
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"Host": ["This name is not in ALLOWED_HOSTS."]}}


def test_readyz_is_503_without_a_model(untrained_service):
    for query in ({}, {"for": "serving"}):
        answer = untrained_service.client.get("/readyz", params=query)
        assert answer.status_code == 503
        assert answer.json()["model"] == "missing"
    assert parts_of(untrained_service)["database"] == "ok"


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


def test_readyz_tells_of_a_database_that_takes_no_writes(new_service, postgres_url):
    service = new_service(DATABASE_URL=f"{postgres_url}?options=-c%20default_transaction_read_only=on")
    new_service(DATABASE_URL=postgres_url).migrate()
    service._is_migrated = True
    service.start("web")
    assert parts_of(service)["database"] == "cannot be written"


@pytest.mark.slow
def test_readyz_tells_of_a_write_lock_that_is_held_on(new_service):
    service = new_service()
    service.start("web")
    assert parts_of(service)["database"] == "ok"
    with sqlite3.connect(service.folder / "db.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        wait_until(lambda: parts_of(service)["database"] != "ok", 30, "the news")
        other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: parts_of(service)["database"] == "ok", 30, "the news")


def test_readyz_tells_of_a_full_disk(untrained, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs", full], capture_output=True).returncode:
        pytest.skip("this account may not mount a small disk")
    try:
        service = untrained(HATE_SPEECH_DATA_DIR=str(full), DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}")
        service.migrate()
        service.start("web")
        assert parts_of(service)["disk"] == "ok"
        (full / "filler").write_bytes(bytes(30_000_000))
        wait_until(lambda: parts_of(service)["disk"] == "full")
        assert service.client.get("/readyz", params={"for": "serving"}).status_code == 200
        service.stop()
        service.wait_for_ends()
    finally:
        subprocess.run(["umount", "--lazy", full], check=True)


def test_a_broker_without_options_of_ours_is_asked_too(new_service):
    service = new_service(CELERY_BROKER_URL="amqp://127.0.0.1:9//")
    service.start("web")
    assert parts_of(service)["broker"] == "not reachable"
    assert "Error" not in service.log("web")


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
