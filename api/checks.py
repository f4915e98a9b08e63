"""System checks of a start: `manage.py check --deploy` and every way to start the service run them.

A critical fault stops the service: it would serve what it may not, or could not serve. An error stops the start scripts too.
"""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import redis
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Error, register

START = "start"  # the tag of these checks
_TIMEOUT_SECONDS = 2
_SEE = 'See "Putting it on a server" in docs/run.md.'


@register(START, deploy=True)
def check_access(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Refuse open access on a server, and a server that a setting is missing which a local run may leave at its default."""
    if settings.OPEN_ACCESS:
        if not settings.SIGNS_OF_A_SERVER:
            return []
        signs = " and ".join(settings.SIGNS_OF_A_SERVER)
        message = f"HATE_SPEECH_OPEN_ACCESS is for this machine only, but a server's settings are there: {signs}."
        return [Critical(f"{message} Set HATE_SPEECH_OPEN_ACCESS=false. {_SEE}", id="api.E002")]
    missing = [f"{name} is not set" for name in settings.NOT_SET]
    unsafe = ["DEBUG is on"] if settings.DEBUG else []
    if "SECRET_KEY" not in settings.NOT_SET and settings.HAS_WEAK_KEY:
        unsafe.append("SECRET_KEY is short or regular, where it takes 50 random characters or more")
    if not missing and not unsafe:
        return []
    message = f"Without open access the service counts as a server, but {' and '.join(missing + unsafe)}."
    # Without the two it is closed all the same: the key is made, and only names of this machine are answered to.
    kind = Critical if unsafe else Error
    return [kind(f"{message} {_SEE}", id="api.E001")]


@register(START, deploy=True)
def check_redis(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Refuse an address where something else than Redis answers, and a Redis that does not let the service in.

    One that cannot be reached is no fault: the service does without it until it is back.
    """
    urls = {"REDIS_URL": settings.REDIS_URL}
    if settings.CELERY_BROKER_URL != settings.REDIS_URL:
        urls["CELERY_BROKER_URL"] = settings.CELERY_BROKER_URL
    reached = {name: url for name, url in urls.items() if url.startswith(("redis://", "rediss://")) and _can_reach(url)}
    return [fault for name, url in reached.items() if (fault := _ask_redis(name, url))]


def _can_reach(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 6379), _TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def _ask_redis(variable: str, url: str) -> CheckMessage | None:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=_TIMEOUT_SECONDS, socket_timeout=_TIMEOUT_SECONDS) as client:
            client.ping()
    except redis.BusyLoadingError:
        return None
    except redis.AuthenticationError:
        return Error(f"Redis answers at {variable}, but refuses this user and password.", id="api.E004")
    except (redis.ConnectionError, redis.TimeoutError):
        fault = "something answers, but not as Redis does. If it is Redis, its TLS or its certificate is not as the URL says"
        return Error(f"At {variable} {fault}.", id="api.E005")
    except (redis.RedisError, ValueError):
        return Critical(f"What answers at {variable} is not Redis, or has no such database.", id="api.E003")
    return None
