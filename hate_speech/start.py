"""Prepare a process. Only this module makes folders and the key, and only it writes to the environment."""

import logging
import os
import sys
import tempfile

from django.core.exceptions import ImproperlyConfigured

from .environment import DATA_DIR, env
from .secret import make_secret

logger = logging.getLogger(__name__)

# gunicorn ends when a worker ends with this; after another code it would start the next one.
_BOOT_ERROR = 3


def select_settings() -> None:
    """Name this project's settings to Django, unless the environment names others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hate_speech.settings")


def refuse_foreign_store() -> None:
    """End this process with a message if the database belongs to another model store than the data folder holds.

    It would serve other versions than the processes beside it. Without a database it starts: verdicts need none.
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
        logger.critical("The service cannot start: %s", error)
        sys.exit(_BOOT_ERROR)


def prepare_process(*, blas_threads: int | None = None) -> None:
    """Make the data folder, the file queue's folder and the key, if they are missing.

    Every entry point calls this before it reads the settings: manage.py, the WSGI application, Celery's worker and beat.

    Parameters
    ----------
    blas_threads : int, optional
        How many threads NumPy may use for a matrix product; by default one for each core.

    Raises
    ------
    ImproperlyConfigured
        The data folder cannot be written to.
    """
    try:
        DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # the posts in it are nobody else's
        tempfile.TemporaryFile(dir=DATA_DIR).close()
        (DATA_DIR / "queue" / "messages").mkdir(parents=True, exist_ok=True)
        if not env("SECRET_KEY"):
            make_secret(DATA_DIR / "secret_key")
    except OSError as error:
        raise ImproperlyConfigured(f"HATE_SPEECH_DATA_DIR={DATA_DIR} cannot be written to: {error.strerror}.") from error
    # Matplotlib keeps its font cache there. It reads the variable when it is imported.
    os.environ.setdefault("MPLCONFIGDIR", str(DATA_DIR / "matplotlib"))
    if blas_threads:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(blas_threads))
