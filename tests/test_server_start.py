"""A start on a server: without open access, nothing is left to the defaults of a local run."""

import subprocess
import sys

import pytest

from .conftest import new_database
from .service import ROOT, wait_until
from .test_deployment import COMPOSE

TOLD = {
    "HATE_SPEECH_OPEN_ACCESS": "false",
    "SECRET_KEY": "a placeholder that is long enough, of 50 characters or more: 0123456789",
    "ALLOWED_HOSTS": "api.example.org",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SECRET_KEY": ""}, "but SECRET_KEY is not set."),
        ({"ALLOWED_HOSTS": ""}, "but ALLOWED_HOSTS is not set."),
        ({"DEBUG": "true"}, "but DEBUG is on."),
        (
            {"SECRET_KEY": "", "ALLOWED_HOSTS": "", "DEBUG": "1"},
            "SECRET_KEY is not set and ALLOWED_HOSTS is not set and DEBUG is on",
        ),
    ],
)
def test_a_server_that_was_not_told_enough_does_not_start(new_service, change, said):
    service = new_service(**TOLD | change)
    start = subprocess.run(
        ["bash", ROOT / "docker" / "start", "web"], cwd=ROOT, env=service.environment, capture_output=True, text=True, timeout=60
    )
    assert start.returncode == 78
    assert said in start.stderr
    assert len(start.stderr.splitlines()) == 1
    assert not (service.folder / "db.sqlite3").exists()


def test_a_server_that_was_told_all_passes_every_check(new_service):
    done = new_service(**TOLD).manage("check", "--deploy")
    assert done.returncode == 0
    assert "System check identified no issues" in done.stdout + done.stderr


def test_make_run_on_another_address_is_a_server(new_service):
    environment = {key: value for key, value in new_service().environment.items() if key != "HATE_SPEECH_OPEN_ACCESS"}
    environment |= {"LISTEN_ADDRESS": "0.0.0.0"}
    start = subprocess.run(
        [sys.executable, ROOT / "docker" / "run_local.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert start.returncode == 1
    assert "SECRET_KEY is not set and ALLOWED_HOSTS is not set" in start.stderr


@pytest.fixture
def own_database():
    with new_database() as url:
        yield url


@pytest.mark.slow
def test_the_containers_of_a_fresh_installation_start_together(new_service, own_database, redis_environment):
    """Their commands, without the containers."""
    environment = redis_environment | {"REDIS_KEY_PREFIX": redis_environment["REDIS_KEY_PREFIX"] + "containers:"}
    service = new_service(**environment, DATABASE_URL=own_database, HATE_SPEECH_ENGINE="encoder")
    for name in ("web", "worker", "beat", "bootstrap"):
        with (service.folder / f"{name}.log").open("wb") as log:
            service.processes[name] = subprocess.Popen(
                COMPOSE["services"][name]["command"],
                cwd=ROOT,
                env=service.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    assert service.processes.pop("bootstrap").wait(120) == 0, service.log("bootstrap")
    check = COMPOSE["services"]["web"]["healthcheck"]["test"][-1].replace("8000", str(service.port))
    wait_until(lambda: not subprocess.run([sys.executable, "-c", check], capture_output=True).returncode, 60, "web's health")
    check = COMPOSE["services"]["beat"]["healthcheck"]["test"][-1].replace("/data", str(service.folder))
    wait_until(lambda: not subprocess.run(["sh", "-c", check]).returncode, 60, "beat's health")
    wait_until(lambda: service.client.get("/readyz").status_code == 200, 60, "readiness")
    assert "Traceback" not in "".join(service.log(name) for name in ("web", "worker", "beat", "bootstrap"))
