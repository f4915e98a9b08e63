"""Whether each part of the service works.

Each part has a check. It runs in a thread of its own, and once a second at most, however many ask: probes make no load, and a
check that hangs holds up nobody for long.
"""

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import Error, connection
from kombu.exceptions import OperationalError

from hate_speech_AI.errors import HateSpeechError

from ..verdicts.services import judge
from .heartbeat import Process, read_heartbeat_age

logger = logging.getLogger(__name__)

OK = "ok"
_FRESH_SECONDS = 1
_PATIENCE_SECONDS = 2
# While a check hangs, its last result counts for so long: an import may hold SQLite's write lock for some seconds.
_KEPT_SECONDS = 10
# Worker and beat show themselves every few seconds.
_SILENT_SECONDS = 20
# A training writes some MB: version, embeddings and report.
_LEAST_FREE_BYTES = 20 * 1024 * 1024


class Part:
    """A part of the service, and what its last check found.

    Parameters
    ----------
    check : callable
        Returns "ok", or in a few words what is wrong.
    """

    def __init__(self, check: Callable[[], str]):
        self._check = check
        self._lock = threading.Lock()
        self._running: Future[None] | None = None
        self._state, self._checked_at = "", float("-inf")

    def begin_check(self) -> Future[None] | None:
        """Begin the check unless it is running, and return its end; `None` if the last one is fresh."""
        with self._lock:
            if self._running is None and time.monotonic() - self._checked_at >= _FRESH_SECONDS:
                self._running = Future()
                threading.Thread(target=self._run, args=(self._running,), name="check", daemon=True).start()
            return self._running

    @property
    def state(self) -> str:
        """What the last check found, unless that was too long ago."""
        return self._state if time.monotonic() - self._checked_at < _KEPT_SECONDS else "no answer"

    def _run(self, running: Future[None]) -> None:
        try:
            state = self._check()
        except Exception:
            logger.exception("A check of readiness failed.")
            state = "cannot be checked"
        finally:
            connection.close()  # this thread's
        with self._lock:
            self._state, self._checked_at, self._running = state, time.monotonic(), None
        running.set_result(None)


def check_readiness(names: tuple[str, ...]) -> dict[str, str]:
    """Return the state of each of these parts: "ok", or what is wrong in a few words."""
    wait([running for name in names if (running := _PARTS[name].begin_check())], _PATIENCE_SECONDS)
    return {name: _PARTS[name].state for name in names}


def check_database() -> str:
    """Ask for all that a write needs: the server, the tables, the write lock and the right to write. No row is written."""
    try:
        connection.ensure_connection()
    except Error:
        return "not reachable"
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE api_store SET identity = identity WHERE 1 = 0")
    except Error:
        return "cannot be written"
    return OK


def check_broker() -> str:
    """Connect as a publisher does, with the options of whatever broker it is."""
    with current_app.connection_for_write(connect_timeout=1) as broker:
        errors: tuple[type[BaseException], ...] = (OSError, OperationalError, *broker.connection_errors, *broker.channel_errors)
        try:
            broker.ensure_connection(max_retries=1, timeout=1, interval_start=0)
            broker.default_channel  # noqa: B018  (opening it is what talks to Redis)
        except errors:
            return "not reachable"
    return OK


def check_disk() -> str:
    """Look for space in the data folder, and beside SQLite's file; write a page."""
    database = settings.DATABASES["default"]
    folders = {settings.DATA_DIR}
    if database["ENGINE"] == "django.db.backends.sqlite3":
        folders.add(Path(database["NAME"]).parent)
    try:
        if any(shutil.disk_usage(folder).free < _LEAST_FREE_BYTES for folder in folders):
            return "full"
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
            file.write(bytes(4096))
    except OSError:
        return "cannot be written"
    return OK


def check_heartbeat(process: Process) -> str:
    return OK if read_heartbeat_age(process) < _SILENT_SECONDS else "not running"


def check_model() -> str:
    try:
        judge(["ready?"], caller=None, with_reviews=False)
    except HateSpeechError:
        return "missing"
    return OK


_PARTS = {
    "database": Part(check_database),
    "broker": Part(check_broker),
    "worker": Part(lambda: check_heartbeat("worker")),
    "beat": Part(lambda: check_heartbeat("beat")),
    "disk": Part(check_disk),
    "model": Part(check_model),
}
PARTS = tuple(_PARTS)
# A verdict needs no more. Keys that were used lately are remembered without the database.
SERVING = ("model",)
