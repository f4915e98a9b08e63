"""The environment that the tests run in: a pytest plugin, since Django's settings are read before any conftest.py is."""

import os
import shutil
import tempfile

# The tests keep out of the developer's own folder, database and Redis.
os.environ["HATE_SPEECH_ENV_FILE"] = os.devnull
_DATA_DIR = tempfile.mkdtemp(prefix="hate-speech-tests-")
os.environ["HATE_SPEECH_DATA_DIR"] = _DATA_DIR
# The quicker engine, unless a test says otherwise.
os.environ["HATE_SPEECH_ENGINE"] = "linear"
SERVICE_URLS = {
    "database": os.environ.pop("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
    "redis": os.environ.pop("REDIS_URL", "redis://127.0.0.1:6379"),
}

from hate_speech.start import prepare_process  # noqa: E402  (it reads the variables above)

prepare_process()


def pytest_unconfigure():
    shutil.rmtree(_DATA_DIR, ignore_errors=True)
