"""A real service for the tests: the Procfile's processes in a data folder of their own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent


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

    def __init__(self, folder: Path, environment: dict[str, str]):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
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
        if not self._is_migrated:
            done = self.manage("migrate")
            assert done.returncode == 0, done.stderr
            self._is_migrated = True

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
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()
        self.client.close()

    def manage(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess:
        """Run a manage.py command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

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

    def train_a_new_version(self) -> str:
        """Add a row, train, and return the version, which is active then whatever the gate says of it."""
        text = f"a quiet walk along the river, number {uuid.uuid4().hex}"
        assert self.client.post("/reviewed", json={"tweet": text, "is_hate_speech": False}).status_code == 200
        trained = self.manage("exec_train", "--wait")
        assert trained.returncode == 0, trained.stderr
        newest = self.versions()[-1]
        if self.active_version() != newest:
            assert self.manage("models", "activate", newest).returncode == 0
        return newest

    def versions(self) -> list[str]:
        """Return the names of the versions in the store, oldest first."""
        return sorted(path.parent.name for path in self.store.glob("*/manifest.json"))

    def wait_for_version(self, version: str | None = None) -> str:
        """Return the version that web serves once it serves this one, or any."""

        def served():
            answer = self.client.post("/predict", json={"tweet": "Good morning"})
            found = answer.json().get("version") if answer.status_code == 200 else None
            return found if found and version in (None, found) else None

        return wait_until(served, what=f"version {version or ''}")
