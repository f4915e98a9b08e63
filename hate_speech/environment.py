"""Declare, read and check the environment's variables. Nothing is written."""

from collections.abc import Container
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
Value = TypeVar("Value")

# Every variable, with its type and default; a test compares docs/settings.md with this list. With _FILE added to its name, each
# may name a file that holds the value.
env = environ.FileAwareEnv(
    SECRET_KEY=(str, ""),
    DEBUG=(bool, False),
    ALLOWED_HOSTS=(list, ["localhost", "127.0.0.1", "[::1]"]),
    CORS_ALLOWED_ORIGINS=(list, []),
    DATABASE_URL=(str, ""),
    REDIS_URL=(str, ""),
    REDIS_KEY_PREFIX=(str, "hate_speech:"),
    CELERY_BROKER_URL=(str, ""),
    CELERY_TIMEZONE=(str, "Europe/Warsaw"),
    TRAINING_HOUR=(int, 1),
    HATE_SPEECH_DATA_DIR=(str, str(BASE_DIR / "var")),
    HATE_SPEECH_ENGINE=(str, "encoder"),
    HATE_SPEECH_THREADS=(int, 0),
    HATE_SPEECH_OPEN_ACCESS=(bool, False),
    RATE_LIMIT=(int, -1),
    PROXIES=(int, 0),
    GATE_F1_LOSS=(float, 0.005),
    GATE_GROUP_LOSS=(float, 0.04),
    GATE_GAP_GROWTH=(float, 0.04),
    GATE_REVIEW_LOSS=(float, 0.02),
    UNSUPPORTED_LANGUAGES=(str, "judge"),
    FEEDS_FROM_PRIVATE_ADDRESSES=(bool, False),
    LOG_LEVEL=(str, "INFO"),
)


def require_one_of(variable: str, value: Value, allowed: Container[Value], described: str) -> Value:
    """Return `value` if it is allowed; otherwise raise an error that names the variable and the allowed values."""
    if value not in allowed:
        raise ImproperlyConfigured(f"{variable}={value!r} is not valid. It takes {described}.")
    return value


def _parse(variable: str, described: str) -> Any:
    try:
        return env(variable)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable}={env.str(variable)!r} is not valid. It takes {described}.") from error


def read_number(variable: str) -> int:
    """Return a whole number."""
    number: int = _parse(variable, "a whole number")
    return number


def read_share(variable: str) -> float:
    """Return a share from 0 to 1."""
    value: float = _parse(variable, "a number")
    if not 0 <= value <= 1:
        raise ImproperlyConfigured(f"{variable}={value!r} is not valid. It takes a share from 0 to 1, such as 0.04 for 4 points.")
    return value


def read_flag(variable: str) -> bool:
    """Return a boolean, in any usual spelling."""
    spellings = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    value = env.str(variable, default="false").lower()
    return spellings[require_one_of(variable, value, spellings, "true or false")]


# Everything that is written is below this folder: database, queue, models and key.
DATA_DIR = Path(env("HATE_SPEECH_DATA_DIR")).absolute()
