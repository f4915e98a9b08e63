"""Read the settings: from the environment, else from a file `.env`, else the default. Nothing is written.

1. Blanks and one pair of quotes around a value are dropped, and an empty value counts as unset.
2. With _FILE added to its name, a variable names a file that holds the value.
3. Every error names the variable and what it takes. It never shows a value, which may be a secret.
"""

import ipaddress
import os
import re
import unicodedata
from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
# Names the file that is read in place of `.env` beside manage.py. It cannot stand in that file itself.
ENV_FILE = "HATE_SPEECH_ENV_FILE"
# Every variable, with its default as one would write it; a test compares docs/settings.md with this list.
DEFAULTS = {
    "SECRET_KEY": "",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "CORS_ALLOWED_ORIGINS": "",
    "LISTEN_ADDRESS": "127.0.0.1",
    "PUBLISHED_ADDRESS": "",
    "PORT": "8000",
    "URL_PREFIX": "",
    "WEB_CONCURRENCY": "2",
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "REDIS_KEY_PREFIX": "hate_speech:",
    "CELERY_BROKER_URL": "",
    "CELERY_TIMEZONE": "Europe/Warsaw",
    "TRAINING_HOUR": "1",
    "HATE_SPEECH_DATA_DIR": "var",
    "HATE_SPEECH_ENGINE": "encoder",
    "HATE_SPEECH_THREADS": "0",
    "HATE_SPEECH_OPEN_ACCESS": "false",
    "RATE_LIMIT": "",
    "TOKEN_RATE_LIMIT": "",
    "DAILY_ROWS": "",
    "DAILY_CHARACTERS": "",
    "ANSWER_SECONDS": "30",
    "PROXIES": "0",
    "GATE_F1_LOSS": "0.005",
    "GATE_FORGETTING": "0.03",
    "GATE_GROUP_LOSS": "0.04",
    "GATE_GAP_GROWTH": "0.04",
    "GATE_REVIEW_LOSS": "0.02",
    "UNSUPPORTED_LANGUAGES": "judge",
    "FEEDS_FROM_PRIVATE_ADDRESSES": "false",
    "LOG_LEVEL": "INFO",
}
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
# A line of `.env`, as Docker Compose reads it too: NAME=value, where a blank and # begin a comment unless quotes are around it.
_LINE = re.compile(r"""(?:export\s+)?(\w+)\s*=\s*('[^']*'|"[^"]*"|[^'"\s](?:(?!\s#).)*|)(?:\s+\#.*)?""")


def is_set(variable: str) -> bool:
    """Return whether the installation gives this variable a value."""
    return variable in gather()


def read_text(variable: str) -> str:
    """Return the value as it is, or the default."""
    return gather().get(variable, DEFAULTS[variable])


def read_choice(variable: str, allowed: Container[str], described: str) -> str:
    """Return one of the allowed values."""
    value = read_text(variable)
    if value not in allowed:
        raise refuse(variable, described)
    return value


def read_matching(variable: str, pattern: str, described: str) -> str:
    """Return a text of ASCII letters, figures and signs that the pattern matches as a whole."""
    value = read_text(variable)
    if not re.fullmatch(pattern, value, re.ASCII):
        raise refuse(variable, described)
    return value


def read_number(variable: str, allowed: range, described: str) -> int:
    """Return a whole number of that range, written in plain figures."""
    described = f"a whole number: {described}"
    value = int(read_matching(variable, "[0-9]{1,9}", described))
    if value not in allowed:
        raise refuse(variable, described)
    return value


def read_limit(variable: str, default: int, described: str) -> int:
    """Return a number of what is described; 0 is no limit. Without a value it is the default."""
    return read_number(variable, range(10**9), f"{described}, or 0 for no limit") if is_set(variable) else default


def read_share(variable: str) -> float:
    """Return a share from 0 to 1."""
    described = "a share from 0 to 1, such as 0.04 for 4 points"
    value = float(read_matching(variable, r"[0-9]*\.?[0-9]+(e-[0-9]+)?", described))
    if value > 1:
        raise refuse(variable, described)
    return value


def read_flag(variable: str) -> bool:
    """Return a boolean, in any usual spelling."""
    value = read_text(variable).lower()
    if value not in _FLAGS:
        raise refuse(variable, "true or false")
    return _FLAGS[value]


def read_list(variable: str, pattern: str, described: str) -> list[str]:
    """Return the items between the commas, in lower case; each must match the pattern."""
    items = [item.strip().lower() for item in read_text(variable).split(",")]
    if not all(re.fullmatch(pattern, item, re.ASCII) for item in items if item):
        raise refuse(variable, described)
    return [item for item in items if item]


def read_hosts(variable: str) -> list[str]:
    """Return the host names that the service answers to; a leading dot stands for all names below."""
    hosts = []
    for host in read_list(variable, r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[?[0-9a-f:.]+\]?", _HOSTS):
        if ":" in host:
            try:
                host = f"[{ipaddress.IPv6Address(host.strip('[]'))}]"  # noqa: PLW2901  (as Django compares it)
            except ValueError:
                raise refuse(variable, _HOSTS) from None
        hosts.append(host)
    if not hosts:
        raise refuse(variable, _HOSTS)
    return hosts


_HOSTS = "host names with commas between, such as api.example.org: without https://, port, path or *"


def read_origins(variable: str) -> list[str]:
    """Return the origins of web sites, such as https://desk.example.org."""
    described = "origins with commas between, such as https://desk.example.org: without a path and without *"
    return read_list(variable, r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+", described)


def read_prefix(variable: str) -> str:
    """Return the path below which the service is reached, such as "/hate"; "" is the root."""
    path = read_text(variable).strip("/")
    if path and not re.fullmatch(r"(?!\.)[\w.~-]+(/(?!\.)[\w.~-]+)*", path, re.ASCII):
        raise refuse(variable, "a path of letters, figures and -._~, such as /hate")
    return f"/{path}" if path else ""


def read_data_dir() -> Path:
    """Return the folder of all that is written. A relative one is below the checkout, wherever the process stands."""
    return BASE_DIR / Path(read_text("HATE_SPEECH_DATA_DIR")).expanduser()


def read_address() -> str:
    """Return the address or name to listen on, without brackets."""
    address = read_matching("LISTEN_ADDRESS", r"\[?[\w.:%-]+\]?", "an address of this machine; 0.0.0.0 is every one")
    return address.removeprefix("[").removesuffix("]")


def read_port() -> int:
    """Return the port to listen on."""
    return read_number("PORT", range(1, 65536), "a port from 1 to 65535")


def read_web_processes() -> int:
    """Return the number of web processes."""
    return read_number("WEB_CONCURRENCY", range(1, 257), "a number from 1 to 256")


def find_signs_of_a_server() -> list[str]:
    """Return the settings that only a server has. Where there is one, nobody may come without a key.

    The database, Redis, folders and limits are none: they do not tell who reaches the service. Neither are names and origins of
    this machine, which a page under development has.
    """
    origins = (origin.partition("://")[2] for origin in read_origins("CORS_ALLOWED_ORIGINS"))
    # In a container all addresses are listened on, and what is published decides.
    decisive = "PUBLISHED_ADDRESS" if is_set("PUBLISHED_ADDRESS") else "LISTEN_ADDRESS"
    signs = {
        "SECRET_KEY": is_set("SECRET_KEY"),
        "ALLOWED_HOSTS": not all(map(_is_loopback, read_hosts("ALLOWED_HOSTS"))),
        "CORS_ALLOWED_ORIGINS": not all(_is_loopback(re.sub(r":[0-9]*$", "", host)) for host in origins),
        "URL_PREFIX": is_set("URL_PREFIX"),
        "PROXIES": read_text("PROXIES") != "0",
        f"{decisive} other than 127.0.0.1": not _is_loopback(read_text(decisive)),
    }
    return [name for name, is_there in signs.items() if is_there]


def refuse(variable: str, described: str) -> ImproperlyConfigured:
    """Return the error of a variable whose value is not what it takes."""
    return ImproperlyConfigured(f"{variable} is not valid. It takes {described}.")


def without(environment: Mapping[str, str], *variables: str) -> dict[str, str]:
    """Return an environment without these variables, whether they hold the value or name its file."""
    names = {*variables, *(f"{variable}_FILE" for variable in variables)}
    return {name: value for name, value in environment.items() if name not in names}


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


@cache
def gather() -> dict[str, str]:
    """Return what is set, by name; the environment goes before the file, one variable at a time."""
    environment = _resolve(os.environ)
    named = _clean(ENV_FILE, os.environ.get(ENV_FILE, ""))
    path = BASE_DIR / (named or ".env")
    lines = _read_file(ENV_FILE, path).splitlines() if named or path.exists() else []
    return _resolve(_parse_env_file(path.name, lines)) | environment


def _parse_env_file(name: str, lines: list[str]) -> dict[str, str]:
    values = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if not match:
            raise ImproperlyConfigured(f"{name}, line {number}, is not valid. A line holds NAME=value, or begins with #.")
        values[match[1]] = match[2]
    return values


def _resolve(source: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that a source gives, those that it names a file for among them."""
    values = {}
    for variable in DEFAULTS:
        value = _clean(variable, source.get(variable, ""))
        if path := _clean(f"{variable}_FILE", source.get(f"{variable}_FILE", "")):
            if value:
                raise ImproperlyConfigured(f"{variable} and {variable}_FILE are both set. Leave one of them.")
            value = _clean(variable, _read_file(f"{variable}_FILE", BASE_DIR / path))
            if not value:
                raise ImproperlyConfigured(f"{variable}_FILE names an empty file.")
        if value:
            values[variable] = value
    return values


def _clean(variable: str, value: str) -> str:
    """Return a value without what is around it."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ImproperlyConfigured(f"{variable} holds a character that cannot be printed, such as the end of a line.")
    return value


def _read_file(variable: str, path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise ImproperlyConfigured(f"{variable} names a file that cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ImproperlyConfigured(f"{variable} names a file that is not UTF-8 text.") from None
