"""A start on a server: without open access, nothing is left to the defaults of a local run."""

import subprocess
import sys

import pytest

from .service import ROOT

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
