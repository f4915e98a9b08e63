"""Prepare a process. Only this module makes folders and the key, and only it writes to the environment."""

import contextlib
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path

from django.core.checks import CRITICAL, run_checks
from django.core.exceptions import ImproperlyConfigured

from .connections import describe_database, find_sqlite_file
from .environment import BASE_DIR, is_set, read_data_dir
from .secret import make_secret

logger = logging.getLogger(__name__)

# In the data folder: which database the service uses that was started last.
_DATABASE_NOTE = "database"
# What a folder that is empty, or filled from a backup, may hold.
_OWN = {"db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal", "lost+found", "models", "service.lock"}
_OPEN = (
    "HATE_SPEECH_DATA_DIR: other users of this machine may read {what}."
    " Give the service a folder of its own, on a file system that keeps modes, and close it: chmod 700."
)


def select_settings() -> None:
    """Name this project's settings to Django, unless the environment names others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hate_speech.settings")


def refuse_foreign_store() -> None:
    """Refuse to start if the database belongs to another model store than the data folder holds.

    The process would serve other versions than those beside it. Without a database it starts: verdicts need none.

    Raises
    ------
    ImproperlyConfigured
        The database belongs to another store.
    """
    import django

    django.setup()
    from django.db import Error

    from api.versions.services import verify_store
    from hate_speech_AI.errors import ForeignStoreError

    try:
        verify_store()
    except Error as error:
        logger.warning("The database cannot be used: %s", type(error).__name__)
    except ForeignStoreError as error:
        raise ImproperlyConfigured(str(error)) from None


def prepare_process(*, blas_threads: int | None = None) -> None:
    """Make the data folder, the file queue's folder and the key, if they are missing, for their owner only.

    Every entry point calls this before it reads the settings: manage.py, the WSGI application, Celery's worker and beat.

    Parameters
    ----------
    blas_threads : int, optional
        How many threads NumPy may use for a matrix product; by default one for each core.

    Raises
    ------
    ImproperlyConfigured
        The data folder cannot be written to, or other users may read it and it cannot be closed to them.
    """
    folder = read_data_dir()
    os.umask(0o077)  # the posts in what is written are nobody else's
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _close_to_others(folder)
        tempfile.TemporaryFile(dir=folder).close()
        (folder / "queue" / "messages").mkdir(parents=True, exist_ok=True)
        if not is_set("SECRET_KEY"):
            make_secret(folder / "secret_key")
    except OSError as error:
        raise ImproperlyConfigured(f"HATE_SPEECH_DATA_DIR cannot be written to: {error.strerror}.") from None
    # Matplotlib keeps its font cache there. It reads the variable when it is imported.
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    if blas_threads:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(blas_threads))


def check_start(*, stops_at: int = CRITICAL) -> None:
    """Run api.checks, once Django is set up; print what is wrong below the level that stops the start.

    Raises
    ------
    ImproperlyConfigured
        A fault of that level, or a higher one.
    """
    found = run_checks(tags=["start"], include_deployment_checks=True)
    for fault in found:
        if fault.level < stops_at:
            print(fault.msg, file=sys.stderr)
    if faults := [fault.msg for fault in found if fault.level >= stops_at]:
        raise ImproperlyConfigured(" ".join(faults))


def note_database() -> None:
    """Write down which database the service uses, for `warn_of_another_database`."""
    (read_data_dir() / _DATABASE_NOTE).write_text(describe_database(), "utf-8")


def warn_of_another_database() -> None:
    """Say so on stderr if the service of this data folder was started last with another database than this command's."""
    note, used = read_data_dir() / _DATABASE_NOTE, describe_database()
    if note.exists() and (noted := note.read_text("utf-8")) != used:
        print(f"This command uses {used}. The service of this data folder uses {noted}: see DATABASE_URL.", file=sys.stderr)


def _close_to_others(folder: Path) -> None:
    """Take the data folder, and what the service wrote into it, from the other users of this machine."""
    mode = folder.stat().st_mode
    if mode & 0o077 and (mode & stat.S_ISVTX or not _is_own(folder)):
        raise ImproperlyConfigured(_OPEN.format(what="the folder, which is not the service's alone"))
    _close(folder, "the folder")
    for path in (folder / "secret_key", folder / "models", folder / "queue"):
        _close(path, path.name)
    if database := find_sqlite_file():
        for suffix in ("", "-wal", "-shm"):
            _close(database.with_name(database.name + suffix), "SQLite's file")


def _is_own(folder: Path) -> bool:
    """Return whether a folder is the service's: the default one, one that it has used, or one with nothing else in it."""
    names = {path.name for path in folder.iterdir()}
    return folder == BASE_DIR / "var" or names <= _OWN or "secret_key" in names or (folder / "queue" / "messages").is_dir()


def _close(path: Path, what: str) -> None:
    if path.exists() and (mode := path.stat().st_mode) & 0o077:
        with contextlib.suppress(PermissionError):  # another user's, as a volume can be: then its group may stay
            path.chmod(mode & 0o700)
        if path.stat().st_mode & 0o007:
            raise ImproperlyConfigured(_OPEN.format(what=what))
