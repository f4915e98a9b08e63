"""`make run`: what a user starts, sees, stops and starts again."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from ..service import ROOT, free_port, wait_until

ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
ENVIRONMENT["HATE_SPEECH_ENV_FILE"] = os.devnull


def processes_of(folder) -> dict[int, str]:
    """Return the command lines of the processes that were started with this data folder."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"HATE_SPEECH_DATA_DIR={folder}".encode() in environment and command:
            found[int(pid)] = command
    return found


def files_beside_the_code() -> str:
    """Return what Git sees besides what is committed, the ignored too."""
    status = ["git", "status", "--porcelain", "--ignored", "--untracked-files=all"]
    return subprocess.run(status, cwd=ROOT, capture_output=True, text=True, check=True).stdout


class MakeRun:
    def __init__(self, folder, **environment):
        self.folder, self.port = folder, free_port()
        self.log = folder.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["python3", "-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])", "make", "run"],
                cwd=ROOT,
                env=ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(folder), "PORT": str(self.port)} | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def predict(self, host: str = "127.0.0.1"):
        try:
            answer = httpx.post(f"http://{host}:{self.port}/predict", json={"tweet": "good morning"}, timeout=5)
        except httpx.TransportError:
            return None
        return answer if answer.status_code == 200 else None

    def wait_for_banner(self, host: str = "127.0.0.1") -> None:
        banner = f"Hate speech detector: http://{host}:{self.port} "
        wait_until(lambda: banner in self.log.read_text(), 60, "the banner")

    def pid_of(self, part: str) -> int | None:
        return next((pid for pid, command in sorted(processes_of(self.folder).items()) if part in command), None)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
        self.process.wait(30)


@pytest.fixture
def run(tmp_path):
    started = []

    def start(**environment):
        started.append(MakeRun(tmp_path / "var", **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def test_it_serves_restarts_what_dies_and_leaves_nothing_behind(run):
    before = files_beside_the_code()
    first = run()
    first.wait_for_banner()
    assert first.predict(), "the banner came before the service answered"
    written = {path.name.removesuffix("-wal").removesuffix("-shm") for path in first.folder.iterdir()}
    assert written <= {
        *("secret_key", "database", "db.sqlite3", "queue", "models", "supervisord.conf", "supervisord.pid", "matplotlib"),
        *("beat.alive", "worker.alive", "service.lock", "db.sqlite3.lock"),
    }
    assert (first.folder / "secret_key").stat().st_mode & 0o77 == 0
    assert first.folder.stat().st_mode & 0o77 == 0

    worker, web = (wait_until(lambda part=part: first.pid_of(part)) for part in ("celery --app hate_speech worker", "gunicorn"))
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: first.pid_of("celery --app hate_speech worker") not in (None, worker), 20, "another worker")
    assert first.pid_of("gunicorn") == web
    assert first.predict()

    first.stop()
    wait_until(lambda: not processes_of(first.folder), 10, "the end of all processes")
    assert "Stopping" in first.log.read_text()

    second = run()
    wait_until(second.predict, 60, "the first answer")
    second.stop()
    wait_until(lambda: not processes_of(second.folder), 10, "the end of all processes")
    assert files_beside_the_code() == before


@pytest.mark.parametrize("killed", ["supervisord", "run_local.py"])
def test_one_service_runs_on_a_folder_and_nothing_of_it_outlives_it(run, killed):
    first = run()
    first.wait_for_banner()
    second = run()
    assert second.process.wait(60) != 0
    lines = [line for line in second.log.read_text().splitlines() if "make" not in line]
    [said] = [line for line in lines if "already" in line]
    assert f"HATE_SPEECH_DATA_DIR={second.folder}" in said
    assert "Starting" not in said
    assert first.predict()

    running = processes_of(first.folder)
    assert {"gunicorn", "worker", "beat"} <= {part for part in ("gunicorn", "worker", "beat") if part in str(running)}
    [pid] = [pid for pid, command in running.items() if killed in command and "python" in command]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(first.folder), 30, "the end of all processes")

    third = run()
    third.wait_for_banner()
    assert third.predict()


@pytest.mark.slow
def test_it_runs_where_its_output_cannot_be_opened_again(tmp_path):
    """As below systemd, which gives a socket."""
    port, (ours, theirs) = free_port(), socket.socketpair()
    environment = ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(tmp_path / "var"), "PORT": str(port)}
    with (
        ours,
        subprocess.Popen(
            ["make", "run"], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs, start_new_session=True
        ) as started,
    ):
        theirs.close()
        ours.settimeout(60)
        said = b""
        while b"Ctrl-C stops it" not in said:
            piece = ours.recv(4096)
            assert piece, said
            said += piece
        os.killpg(started.pid, signal.SIGINT)
        while ours.recv(4096):
            pass


@pytest.mark.slow
@pytest.mark.parametrize(("address", "host"), [("localhost", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")])
def test_it_listens_on_any_way_to_write_this_machine(run, address, host):
    started = run(LISTEN_ADDRESS=address)
    started.wait_for_banner(host)
    assert started.predict(host)


@pytest.mark.parametrize("address", ["999.1.1.1", "203.0.113.1", "nowhere.invalid"])
def test_an_address_that_is_not_this_machines_is_a_clear_error(tmp_path, address):
    environment = ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(tmp_path / "var"), "PORT": str(free_port())}
    environment |= {"LISTEN_ADDRESS": address}
    done = subprocess.run(["make", "run"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"cannot listen on LISTEN_ADDRESS='{address}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_a_clear_error(service):
    done = subprocess.run(
        ["make", "run"],
        cwd=ROOT,
        env=ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(service.folder), "PORT": str(service.port)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert f"PORT={service.port + 1} make run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TRAINING_HOUR", "25", "an hour from 0 to 23"),
        ("UNSUPPORTED_LANGUAGES", "pass", "judge or refuse"),
        ("TRAINING_HOUR", "one", "whole number"),
        ("CELERY_TIMEZONE", "Warsaw", "time zone"),
        ("DEBUG", "maybe", "true or false"),
        ("PORT", "eighty", "from 1 to 65535"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO"),
        ("LISTEN_ADDRESS", "*", "an address of this machine"),
        ("WEB_CONCURRENCY", "1_0", "from 1 to 256"),
    ],
)
def test_a_bad_setting_stops_the_start_and_names_what_is_allowed(tmp_path, variable, value, message):
    environment = ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(tmp_path / "var"), "PORT": str(free_port())} | {variable: value}
    done = subprocess.run(["make", "run"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert variable in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    environment = ENVIRONMENT | {"HATE_SPEECH_DATA_DIR": str(tmp_path / "file"), "PORT": str(free_port())}
    done = subprocess.run(["make", "run"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "HATE_SPEECH_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr
