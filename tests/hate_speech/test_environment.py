"""Settings are read in one place: a value is cleaned, checked, and never shown."""

import importlib.util
import os
import shutil
import subprocess
import sys
import traceback

import pytest
from django.core.exceptions import ImproperlyConfigured

from hate_speech.environment import DEFAULTS, gather

from ..service import COMMANDS, ROOT

KEY = "$kept as it is, of 50 characters or more: x7Qm2Lr9Tz"
HOSTS = ["api.example.org", "www.example.org"]


@pytest.fixture
def read(monkeypatch):
    """Give a function that reads the settings anew in another environment."""

    def read(**environment: str) -> dict[str, object]:
        for name in os.environ:
            if name.removesuffix("_FILE") in DEFAULTS:
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        gather.cache_clear()
        spec = importlib.util.spec_from_file_location("hate_speech.settings_anew", ROOT / "hate_speech/settings.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return vars(module)

    yield read
    monkeypatch.undo()
    gather.cache_clear()


@pytest.mark.parametrize(
    ("variable", "value", "expression", "expected"),
    [
        ("ALLOWED_HOSTS", "api.example.org, www.example.org ,", "ALLOWED_HOSTS", HOSTS),
        ("ALLOWED_HOSTS", '"API.example.org,www.example.org"', "ALLOWED_HOSTS", HOSTS),
        ("ALLOWED_HOSTS", "::1,.example.org", "ALLOWED_HOSTS", ["[::1]", ".example.org"]),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"]),
        ("SECRET_KEY", KEY, "SECRET_KEY", KEY),
        ("PROXIES", " 1 ", "PROXIES", 1),
        ("PROXIES", "", "PROXIES", 0),
        ("DEBUG", "", "DEBUG", False),
        ("DEBUG", " Yes\n", "DEBUG", True),
        ("RATE_LIMIT", "", "RATE_LIMIT", 600),
        ("REDIS_URL", "", "CELERY_BROKER_URL", "filesystem://localhost"),
        ("GATE_F1_LOSS", ".5", "GATE_LIMITS['f1_loss']", 0.5),
        ("GATE_FORGETTING", "0.02", "GATE_LIMITS['forgetting']", 0.02),
        ("LOG_LEVEL", "'warning'", "LOG_LEVEL", "WARNING"),
        ("URL_PREFIX", "hate/", "FORCE_SCRIPT_NAME", "/hate"),
        ("URL_PREFIX", "/", "FORCE_SCRIPT_NAME", ""),
        ("CORS_ALLOWED_ORIGINS", "https://Desk.example.org:8443,", "CORS_ALLOWED_ORIGINS", ["https://desk.example.org:8443"]),
        ("DATABASE_URL", "postgres://u:p%2F%40@[::1]:5433/n?sslmode=require", "DATABASES['default']['PASSWORD']", "p/@"),
        ("DATABASE_URL", "postgres://u@/n?host=/run/postgresql", "DATABASES['default']['HOST']", "/run/postgresql"),
        ("DATABASE_URL", "sqlite:////srv/a%20b.sqlite3", "DATABASES['default']['NAME']", "/srv/a b.sqlite3"),
        ("DATABASE_URL", "sqlite:///b.sqlite3", "DATABASES['default']['NAME']", str(ROOT / "b.sqlite3")),
    ],
)
def test_what_is_around_a_value_is_dropped_and_empty_is_unset(read, tmp_path, variable, value, expression, expected):
    assert eval(expression, read(**{variable: value})) == expected
    # The same from a file, which an editor ends with the end of a line.
    if value:
        (tmp_path / "value").write_text(f"{value}\n")
        assert eval(expression, read(**{f"{variable}_FILE": str(tmp_path / "value")})) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(
            ("ALLOWED_HOSTS", value)
            for value in ("https://h1dden.example", "h1dden:8000", "*", "*.h1dden", ",", "h1dden/x", "::h1dden")
        ),
        *(("CORS_ALLOWED_ORIGINS", value) for value in ("h1dden.example", "*", "https://h1dden/path", "null")),
        *(
            ("DATABASE_URL", f"postgres://u:{password}@host:5432/name")
            for password in ("h1dd/en", "h1dd?en", "h1dd@en", "h1dd#en", "%h1")
        ),
        *(
            ("DATABASE_URL", value)
            for value in ("h1dden", "mysql://h1dden/x", "postgres://u:h1dden@host", "postgres://u:12/h1dden@x/y")
        ),
        ("DATABASE_URL", "postgres://u:h1dden@host:99999/name"),
        *(
            ("REDIS_URL", f"redis://:{password}@host:6379/0")
            for password in ("h1dd@en", "h1d:d@en", "h1dd/en", "h1d[en", "h1dd?en")
        ),
        *(
            ("REDIS_URL", value)
            for value in ("h1dden:6379", "sentinel://h1dden", "redis://h1dden/x", "redis://", "http://h1dden")
        ),
        *(
            ("REDIS_URL", value)
            for value in ("redis://h1dden?a=b", "rediss://h?ssl_ca_certs=/h1dden", "rediss://h?ssl_cert_reqs=h1dden")
        ),
        *(
            ("CELERY_BROKER_URL", value)
            for value in ("h1dden", "sqs://h1dden", "amqp://u:h1d@den@host//", "redis://:h1dd/en@host")
        ),
        *(("REDIS_KEY_PREFIX", value) for value in ("{h1dden}", "h1d den", "h1dden*", "h1dden%s")),
        *(("PROXIES", value) for value in ("11", "1_0", "٣", "-1", "1.0", "0x1", "h1dden")),
        *(("WEB_CONCURRENCY", value) for value in ("0", "1_000", "many", "257", "9" * 5000)),
        *(("GATE_F1_LOSS", value) for value in ("nan", "inf", "1.01", "-0.1", "1e3", "0,5", "٠", "1_0")),
        *(("DEBUG", value) for value in ("maybe", "2")),
        *(("URL_PREFIX", value) for value in ("/h1dden path", "https://h1dden", "/a//b", "/..", "/a?h1dden", "/ä")),
        ("RATE_LIMIT", "-1"),
        ("HATE_SPEECH_ENGINE", "h1dden"),
        ("HATE_SPEECH_THREADS", "1_0"),
        ("CELERY_TIMEZONE", "Europe/h1dden"),
        ("LOG_LEVEL", "h1dden"),
        ("TRAINING_HOUR", "24"),
        ("SECRET_KEY", "h1dden\x1b[2J"),
        ("SECRET_KEY_FILE", "/nowhere/h1dden"),
        ("SECRET_KEY_FILE", "/"),
        ("HATE_SPEECH_ENV_FILE", "/nowhere/h1dden"),
    ],
)
def test_a_value_that_is_not_valid_is_named_and_not_shown(read, variable, value):
    with pytest.raises(ImproperlyConfigured) as raised:
        read(**{variable: value})
    assert variable.removesuffix("_FILE") in str(raised.value)
    assert "h1d" not in "".join(traceback.format_exception(raised.value))


def test_a_command_says_it_in_one_line(tmp_path):
    environment = {"HATE_SPEECH_DATA_DIR": str(tmp_path), "HATE_SPEECH_ENV_FILE": os.devnull}
    done = COMMANDS.run(["check"], environment | {"DATABASE_URL": "postgres://u:h1dd/en@host/name"}, 60)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("DATABASE_URL is not valid.")
    assert "h1dd" not in line


def test_a_value_and_its_file_are_not_both_taken(read, tmp_path):
    (tmp_path / "key").write_text(KEY)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        read(SECRET_KEY=KEY, SECRET_KEY_FILE=str(tmp_path / "key"))
    (tmp_path / "key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE names an empty file"):
        read(SECRET_KEY_FILE=str(tmp_path / "key"))


def test_a_file_of_settings_is_read_and_the_environment_goes_before_it(read, tmp_path):
    (tmp_path / "hour").write_text("5\n")
    (tmp_path / "settings").write_text(
        "\ufeff# A comment\r\n\r\n"
        f"export SECRET_KEY='{KEY}'  # why\r\n"
        'ALLOWED_HOSTS = "api.example.org, www.example.org"\r\n'
        "REDIS_KEY_PREFIX=a:b # why\r\n"
        "PROXIES=\r\n"
        f"TRAINING_HOUR_FILE={tmp_path / 'hour'}\r\n"
        "DATABASE_URL=postgres://u:p%23@host/name\r\n"
        "UNKNOWN=kept out\r\n"
    )
    found = read(HATE_SPEECH_ENV_FILE=str(tmp_path / "settings"))
    names = ("SECRET_KEY", "ALLOWED_HOSTS", "REDIS_KEY_PREFIX", "PROXIES", "_training_hour")
    assert [found[name] for name in names] == [KEY, HOSTS, "a:b", 0, 5]
    assert found["DATABASES"]["default"]["PASSWORD"] == "p#"
    found = read(
        HATE_SPEECH_ENV_FILE=str(tmp_path / "settings"), ALLOWED_HOSTS="localhost", SECRET_KEY_FILE="", TRAINING_HOUR="7"
    )
    assert (found["ALLOWED_HOSTS"], found["SECRET_KEY"], found["_training_hour"]) == (["localhost"], KEY, 7)


@pytest.mark.parametrize("line", ["h1dden", "=h1dden", "SECRET_KEY='h1dden", "SECRET_KEY: h1dden", "SECRET-KEY=h1dden"])
def test_a_line_that_is_no_setting_is_named_and_not_shown(read, tmp_path, line):
    (tmp_path / "settings").write_text(f"DEBUG=false\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match="settings, line 2, is not valid") as raised:
        read(HATE_SPEECH_ENV_FILE=str(tmp_path / "settings"))
    assert "h1dden" not in str(raised.value)


def test_every_default_is_valid(read):
    found = read(**DEFAULTS)
    assert found["OPEN_ACCESS"] is False
    assert found["SIGNS_OF_A_SERVER"] == []


def test_the_file_is_dot_env_beside_the_code(tmp_path):
    for name in ("__init__", "environment", "connections", "secret", "start"):
        (tmp_path / "hate_speech").mkdir(exist_ok=True)
        shutil.copy(ROOT / "hate_speech" / f"{name}.py", tmp_path / "hate_speech")
    (tmp_path / ".env").write_text("TRAINING_HOUR=5\nHATE_SPEECH_DATA_DIR=data\n")
    code = "from hate_speech.environment import *; print(read_text('TRAINING_HOUR'), read_data_dir())"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd="/", env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["5", str(tmp_path / "data")], done.stderr
