"""Runs commands of manage.py, each in a fork of one process that has the libraries in memory already.

Importing Django, Celery and NumPy takes a second, and the tests run some hundred commands. Nothing of ours is imported before
the fork, so that each command reads its own environment and settings, as one that is started from a shell.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIBRARIES = [
    *("django.core.management.commands.shell", "django.core.management.commands.check", "django.db.migrations.executor"),
    *("django.db.backends.postgresql.psycopg_any", "django.db.backends.sqlite3.base", "django.test.utils", "django.urls"),
    *("django.contrib.admin.utils", "django.forms", "django.template.loader", "django.views.generic", "rest_framework.fields"),
    *("celery.app.base", "celery.fixups.django", "celery.loaders.app", "celery.schedules", "kombu.transport.redis"),
    *("django_redis", "numpy", "requests", "uritemplate", "yaml"),
]


class Commands:
    """The client of that process, which is started by the first command and ends when this one does.

    Parameters
    ----------
    environment : dict
        Of the process itself; a command has one of its own.
    """

    def __init__(self, environment: dict[str, str]):
        self._environment = environment
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.commands", str(theirs.fileno())],
                cwd=ROOT,
                env=self._environment | {"OPENBLAS_NUM_THREADS": "1"},  # a process of several threads should not fork
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, arguments: Sequence[str], environment: dict[str, str], timeout: float) -> subprocess.CompletedProcess:
        """Run `manage.py` with these arguments to its end, as `subprocess.run` does with captured output.

        Raises
        ------
        TimeoutError
            It has not ended after so many seconds.
        """
        with self._lock:
            if self._process is None:
                self._start()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    descriptors = [out.fileno(), err.fileno(), theirs.fileno()]
                    socket.send_fds(self._socket, [json.dumps([arguments, environment]).encode()], descriptors)
                ours.settimeout(timeout)
                code = int(ours.recv(10))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())

    def stop(self) -> None:
        if self._process:
            self._socket.close()
            self._process.wait()
            self._process = None


def serve(commands: socket.socket) -> None:
    """Fork for each command that comes, until the tests end; returns in the forks too, once the command is run."""
    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    while True:
        message, descriptors, *_ = socket.recv_fds(commands, 1 << 18, 3)
        if not message:
            return
        if os.fork() == 0:
            commands.close()
            follow(*json.loads(message), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def follow(arguments: list[str], environment: dict[str, str], out: int, err: int, done: int) -> None:
    """Run a command in another fork, so that its end, whatever it is, can be told."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        os.write(done, str(os.waitstatus_to_exitcode(status)).encode())
        return
    os.close(done)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["manage.py", *arguments]
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
