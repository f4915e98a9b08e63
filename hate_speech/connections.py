"""What the service connects to, from the URLs of the settings. No error shows a part of a URL."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import BASE_DIR, is_set, read_data_dir, read_text, refuse

# A raw @ : / ? or # in the user or the password would move the bounds of the other parts, so none is taken.
_PART = r"(?:[^\s:/?#@\[\]%]|%[0-9A-Fa-f]{2})*"
_URL = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+]*)://(?:(?P<user>{_PART})(?::(?P<password>{_PART}))?@)?"
    rf"(?P<host>{_PART}|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/(?P<path>[^\s:?#@]*))?(?:\?(?P<query>[^\s#?]*))?"
)
_ESCAPED = "In the user and the password, @ : / ? # % are written as %40 %3A %2F %3F %23 %25"
_SQLITE = "sqlite:///"
_POSTGRES = ("postgres", "postgresql", "psql", "pgsql")
_REDIS = ("redis", "rediss")
# kombu's transports whose packages are in requirements.txt.
_BROKERS = (*_REDIS, "amqp", "amqps", "pyamqp", "filesystem")
# Django's own, which django-environ took from the URL; the settings say them now.
_DJANGO_OPTIONS = {"conn_max_age", "conn_health_checks", "atomic_requests", "autocommit", "disable_server_side_cursors"}
_TLS_FILES = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_TLS_OPTIONS = {*_TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname"}


@dataclass(frozen=True)
class Address:
    """The parts of a URL, with what was escaped in them undone."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: str
    options: dict[str, str]


def read_database() -> dict[str, Any]:
    """Return Django's settings of the database that DATABASE_URL names; without it, SQLite in the data folder."""
    url = read_text("DATABASE_URL")
    if not url or url.startswith(_SQLITE):
        name = unquote(url.removeprefix(_SQLITE))
        path = BASE_DIR / name if name else read_data_dir() / "db.sqlite3"
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    described = f"postgres://user:password@host:5432/name, or sqlite:///path. {_ESCAPED}"
    address = _parse("DATABASE_URL", url, _POSTGRES, described)
    if not address.path or "/" in address.path:
        raise refuse("DATABASE_URL", described)
    options = {name: value for name, value in address.options.items() if name.lower() not in _DJANGO_OPTIONS}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.path,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": options.pop("host", address.host),
        "PORT": str(address.port or ""),
        "OPTIONS": options,
        # A pooler gives each transaction another connection, on which a cursor of the one before does not exist.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def find_sqlite_file() -> Path | None:
    """Return the path of SQLite's file; `None` with another database."""
    database = read_database()
    return Path(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else None


def describe_database() -> str:
    """Return which database the settings name, in words, without user and password."""
    database = read_database()
    if database["ENGINE"].endswith("sqlite3"):
        return f"SQLite's {database['NAME']}"
    place = database["HOST"] or "this machine"
    return f"PostgreSQL's {database['NAME']} at {place}{':' if database['PORT'] else ''}{database['PORT']}"


def read_redis() -> str:
    """Return the URL of the Redis that is broker and cache; "" without one."""
    return _read_redis("REDIS_URL", _REDIS, "redis://:password@host:6379/0, or rediss:// for TLS") if is_set("REDIS_URL") else ""


def read_broker() -> str:
    """Return the URL of Celery's broker: its own, else Redis, else a folder."""
    if not is_set("CELERY_BROKER_URL"):
        return read_redis() or "filesystem://localhost"
    return _read_redis("CELERY_BROKER_URL", _BROKERS, "a URL that begins with redis://, rediss://, amqp:// or amqps://")


def _read_redis(variable: str, schemes: tuple[str, ...], described: str) -> str:
    """Return a URL as it is; of `rediss`, with what makes each client check the certificate.

    kombu checks none unless the URL says so, where redis-py does.
    """
    url = read_text(variable)
    address = _parse(variable, url, schemes, f"{described}. {_ESCAPED}")
    if address.scheme not in _REDIS:
        return url
    if not address.host or not re.fullmatch("[0-9]{0,5}", address.path):
        raise refuse(variable, f"redis://:password@host:6379/0, where 0 is the number of a database. {_ESCAPED}")
    if unknown := set(address.options) - (_TLS_OPTIONS if address.scheme == "rediss" else set()):
        known = ", ".join(sorted(_TLS_OPTIONS))
        raise ImproperlyConfigured(
            f"{variable} has {len(unknown)} unknown options. rediss:// takes {known}; redis:// takes none."
        )
    if address.scheme == "redis":
        return url
    for name in _TLS_FILES & set(address.options):
        if not (BASE_DIR / address.options[name]).is_file():
            raise ImproperlyConfigured(f"{variable}: its option {name} names a file that is not there.")
    checking = address.options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if checking not in ("required", "optional", "none"):
        raise ImproperlyConfigured(f"{variable}: its option ssl_cert_reqs takes required, optional or none.")
    return urlunsplit(urlsplit(url)._replace(query=urlencode(address.options | {"ssl_cert_reqs": checking})))


def _parse(variable: str, url: str, schemes: tuple[str, ...], described: str) -> Address:
    match = _URL.fullmatch(url)
    if not match or match["scheme"] not in schemes or int(match["port"] or 1) not in range(1, 65536):
        raise refuse(variable, described)
    try:
        options = dict(parse_qsl(match["query"] or "", keep_blank_values=True, strict_parsing=bool(match["query"])))
    except ValueError:
        raise refuse(variable, described) from None
    return Address(
        scheme=match["scheme"],
        user=unquote(match["user"] or ""),
        password=unquote(match["password"] or ""),
        host=unquote(match["host"]).strip("[]"),
        port=int(match["port"]) if match["port"] else None,
        path=unquote(match["path"] or ""),
        options=options,
    )
