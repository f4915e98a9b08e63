"""A real service for the tests: the Procfile's processes in a data folder of their own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import httpx

from .commands import Commands

ROOT = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
# What every process of a service gets, and none of what else the developer's shell has; coverage.py hands its settings on here.
ENVIRONMENT = {
    "PATH": f"{BINARIES}:{os.environ['PATH']}",
    "HATE_SPEECH_ENV_FILE": os.devnull,
    **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
}
COMMANDS = Commands(ENVIRONMENT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], object], seconds: float = 30, what: str = "the condition"):
    """Return what `condition` returns once it is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about in {seconds} s")


class Service:
    """Starts, talks to and stops processes of the service; leaving the context stops them all."""

    _empty_database = b""  # SQLite's, with the tables of all migrations
    _ending: ClassVar[list[subprocess.Popen]] = []  # told to end, and not waited for: Celery takes five seconds

    def __init__(self, folder: Path, environment: dict[str, str]):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **ENVIRONMENT,
            "HATE_SPEECH_DATA_DIR": str(folder),
            "PYTHONUNBUFFERED": "1",
            "HATE_SPEECH_OPEN_ACCESS": "true",
            "HATE_SPEECH_ENGINE": "linear",  # the quicker one; tests of the encoder say so
            **environment,
            "PORT": str(self.port),
        }
        self.store = Path(self.environment["HATE_SPEECH_DATA_DIR"]) / "models" / self.environment["HATE_SPEECH_ENGINE"]
        self.client = httpx.Client(base_url=self.url, timeout=30)
        self.processes: dict[str, subprocess.Popen] = {}
        self._is_migrated = False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def beside(self, folder: Path, **environment: str) -> "Service":
        """Return a service with this one's database and data, and other settings; `folder` is for its logs."""
        other = Service(folder, self.environment | environment)
        other._is_migrated = True
        return other

    def migrate(self) -> None:
        """Make the tables; a new SQLite database is a copy of the first that was made, since making one takes seconds."""
        if self._is_migrated:
            return
        database = Path(self.environment["HATE_SPEECH_DATA_DIR"]) / "db.sqlite3"
        if "DATABASE_URL" in self.environment or database.exists():
            self._migrate()
        elif Service._empty_database:
            database.write_bytes(Service._empty_database)
        else:
            self._migrate()
            Service._empty_database = database.read_bytes()
        self._is_migrated = True

    def _migrate(self) -> None:
        done = self.manage("migrate")
        assert done.returncode == 0, done.stderr

    def start(self, *names: str) -> None:
        """Start processes of the Procfile by name; web is awaited."""
        self.migrate()
        commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
        for name in names:
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                commands[name].split(), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
            log.close()
        if "web" in names:
            wait_until(self.is_up, what="web")

    def is_up(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> None:
        """Kill a process and its children with SIGKILL, as the kernel does when memory runs out."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Tell all processes to end; `wait_for_ends` waits for them."""
        self.client.close()  # gunicorn waits for open connections
        for name in [*self.processes]:
            self.terminate(name)

    def terminate(self, name: str) -> None:
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        self._ending.append(process)

    @classmethod
    def wait_for_ends(cls) -> None:
        """Wait until all that was stopped has ended, or kill it."""
        for process in cls._ending:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        cls._ending.clear()

    def manage(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess:
        """Run a manage.py command to its end."""
        return COMMANDS.run(arguments, self.environment, timeout)

    def query(self, code: str) -> str:
        """Return what a line of Python prints inside this service's Django."""
        done = self.manage("shell", "--no-imports", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def active_version(self) -> str | None:
        pointer = self.store / "active"
        return pointer.read_text().split()[0] if pointer.exists() else None

    def review(self, text: str, is_hate_speech: bool) -> None:
        assert self.client.post("/reviewed", json={"tweet": text, "is_hate_speech": is_hate_speech}).status_code == 200

    def train(self) -> dict:
        """Train on all that is labelled by now, and return the finished run; one that began before is not the one."""
        now = datetime.now(UTC)
        while True:
            asked = self.client.post("/train")
            assert asked.status_code == 202, asked.text
            run = wait_until(lambda at=asked.headers["location"]: self.finished_run(at), 60, "the training")
            if datetime.fromisoformat(run["created_at"]) >= now:
                assert run["outcome"] != "failed", run["error"]
                return run

    def wait_until_idle(self) -> None:
        """Wait until no training is queued or running."""
        unfinished = "from api.versions.models import TrainingRun; print(TrainingRun.objects.filter(is_finished=False).count())"
        wait_until(lambda: self.query(unfinished) == "0", 60, "the end of the trainings")

    def finished_run(self, location: str) -> dict | None:
        """Return the training run of a `Location` header once it is finished."""
        run = self.client.get(location).json()
        return run if run["stage"] == "finished" else None

    def train_a_new_version(self) -> str:
        """Add a row, train, and return the version, which is served then whatever the gate says of it.

        What the training sets aside comes back: the tests' rows are few and odd, and each test wants its own learned.
        """
        self.review(f"a quiet walk along the river, number {uuid.uuid4().hex}", False)
        run = self.train()
        if run["set_aside"]:
            assert self.manage("labels", "restore", "--since", "2000-01-01").returncode == 0
            run = self.train()
        assert run["version"] == self.versions()[-1]
        self.activate_the_newest()
        return run["version"]

    def activate_the_newest(self) -> None:
        """Activate the newest version, unless it is active already, and not pinned; web serves it when this returns."""
        newest = self.versions()[-1]
        if (self.store / "active").read_text().split() != [newest]:
            assert self.client.post(f"/models/{newest}/activate").status_code == 200
        self.wait_for_version(newest)

    def versions(self) -> list[str]:
        """Return the names of the versions in the store, oldest first."""
        manifests = [json.loads(path.read_text()) for path in self.store.glob("*/manifest.json")]
        return [manifest["version"] for manifest in sorted(manifests, key=lambda manifest: manifest["score"]["trained_at"])]

    def wait_for_version(self, version: str | None = None) -> str:
        """Return the version that web serves once it serves this one, or any, over old connections and over new ones."""

        def served():
            # Web is two processes: a new connection goes to the one that our client does not hold.
            with httpx.Client(base_url=self.url, timeout=30) as another:
                answers = [client.post("/predict", json={"tweet": "Good morning"}) for client in (self.client, another)]
            found = {answer.json().get("version") for answer in answers if answer.status_code == 200}
            return found.pop() if len(found) == 1 and found <= {version or self.active_version()} else None

        return wait_until(served, what=f"version {version or ''}")
