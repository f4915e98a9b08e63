"""A start on a server: without open access, nothing is left to the defaults of a local run."""

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hate_speech.secret import is_weak

from .certificates import make_certificate
from .conftest import new_database
from .service import ROOT, free_port, wait_until
from .test_deployment import COMPOSE

TOLD = {
    "HATE_SPEECH_OPEN_ACCESS": "false",
    "SECRET_KEY": "a placeholder that is long enough, of 50 characters or more: 0123456789",
    "ALLOWED_HOSTS": "api.example.org",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SECRET_KEY": ""}, "but SECRET_KEY is not set."),
        ({"ALLOWED_HOSTS": ""}, "but ALLOWED_HOSTS is not set."),
        ({"DEBUG": "true"}, "but DEBUG is on."),
        (
            {"SECRET_KEY": "", "ALLOWED_HOSTS": "", "DEBUG": "1"},
            "SECRET_KEY is not set and ALLOWED_HOSTS is not set and DEBUG is on",
        ),
    ],
)
def test_a_server_that_was_not_told_enough_does_not_start(new_service, change, said):
    service = new_service(**TOLD | change)
    start = subprocess.run(
        ["bash", ROOT / "docker" / "start", "web"], cwd=ROOT, env=service.environment, capture_output=True, text=True, timeout=60
    )
    assert start.returncode == 78
    assert said in start.stderr
    assert len(start.stderr.splitlines()) == 1
    assert not (service.folder / "db.sqlite3").exists()


def test_a_server_that_was_told_all_passes_every_check(new_service):
    done = new_service(**TOLD).manage("check", "--deploy")
    assert done.returncode == 0
    assert "System check identified no issues" in done.stdout + done.stderr


def start_with_run_local(environment: dict[str, str]) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "docker" / "run_local.py"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def start_with_docker(environment: dict[str, str]) -> subprocess.CompletedProcess:
    command = ["bash", ROOT / "docker" / "start", "web"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def start_with_gunicorn(environment: dict[str, str]) -> subprocess.CompletedProcess:
    [command] = [line.partition(": ")[2] for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:")]
    # One process: if two refuse at the same moment, gunicorn adds a traceback of its own.
    environment = environment | {"WEB_CONCURRENCY": environment.get("WEB_CONCURRENCY", "1")}
    return subprocess.run(command.split(), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


class RedisServer:
    """A Redis of a test's own, with options of its own; `--tls` gives it a certificate that nobody knows."""

    def __init__(self, folder: Path, *options: str):
        binary = shutil.which("redis-server")
        if not binary:
            pytest.skip("no redis-server on this machine")
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}"
        self.authority = folder / "certificate.pem"
        listening = ["--port", str(port)]
        if "--tls" in options:
            self.url = f"rediss://127.0.0.1:{port}"
            make_certificate(folder, "IP:127.0.0.1")
            listening = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
            listening += ["--tls-cert-file", self.authority, "--tls-key-file", folder / "key.pem"]
        given = [option for option in options if option != "--tls"]
        self.process = subprocess.Popen(
            [binary, "--bind", "127.0.0.1", "--save", "", "--dir", folder, *listening, *given], stdout=subprocess.DEVNULL
        )
        wait_until(lambda: is_answering(port), 10, "Redis")


def is_answering(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def redis_server(tmp_path):
    started = []

    def start(*options: str) -> RedisServer:
        started.append(RedisServer(tmp_path, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.terminate()
        one.process.wait()


WAYS = [start_with_run_local, start_with_docker, start_with_gunicorn]
# One way for each case, so that each way meets every kind.
REFUSED = [
    ({"SECRET_KEY": TOLD["SECRET_KEY"]}, "SECRET_KEY"),
    ({"ALLOWED_HOSTS": "api.example.org"}, "ALLOWED_HOSTS"),
    ({"PROXIES": "1"}, "PROXIES"),
    ({"CORS_ALLOWED_ORIGINS": "https://desk.example.org"}, "CORS_ALLOWED_ORIGINS"),
    ({"URL_PREFIX": "/hate"}, "URL_PREFIX"),
    ({"LISTEN_ADDRESS": "0.0.0.0"}, "LISTEN_ADDRESS"),
    ({"PUBLISHED_ADDRESS": "0.0.0.0"}, "PUBLISHED_ADDRESS"),
]


@pytest.mark.parametrize("start", WAYS)
@pytest.mark.parametrize(("change", "named"), REFUSED)
def test_open_access_is_refused_with_anything_of_a_server(new_service, start, change, named):
    if start is not start_with_docker and named not in ("PROXIES", "LISTEN_ADDRESS"):
        pytest.skip("this way is tried with two of the cases")
    done = start(new_service(**change).environment)
    assert done.returncode != 0
    assert f"HATE_SPEECH_OPEN_ACCESS is for this machine only, but a server's settings are there: {named}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("change", [{"PROXIES": "1"}, {"LISTEN_ADDRESS": "0.0.0.0"}, {"SECRET_KEY": TOLD["SECRET_KEY"]}])
def test_make_run_opens_nothing_with_anything_of_a_server(new_service, change):
    environment = {key: value for key, value in new_service(**change).environment.items() if key != "HATE_SPEECH_OPEN_ACCESS"}
    done = start_with_run_local(environment)
    assert done.returncode == 1
    assert "Without open access the service counts as a server" in done.stderr


def test_what_a_container_listens_on_is_no_sign_where_its_port_is_published_here_only(new_service):
    service = new_service(LISTEN_ADDRESS="0.0.0.0", PUBLISHED_ADDRESS="127.0.0.1")
    assert service.manage("check", "--deploy", "--tag", "start").returncode == 0


@pytest.mark.parametrize("start", WAYS)
def test_a_key_that_can_be_guessed_is_refused_and_not_shown(new_service, start):
    done = start(new_service(**TOLD | {"SECRET_KEY": "s3cret"}).environment)
    assert done.returncode != 0
    assert "SECRET_KEY is short or regular" in done.stderr
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("key", "weak"),
    [
        ("x7Qm2Lr9TzVb4Nw8Kc1Hd6Sf3Jg5Pq0YaEuRiOtMlZkXvCnBoWe", False),
        ("3f9c1e7a5b2d8046f1e3c9a7b5d2806413f9c7e1a5b2d8046e", False),
        ("x7Qm2Lr9TzVb4Nw8Kc1Hd6Sf3Jg5Pq0YaEuRiOtMlZkXvCnBo"[:49], True),
        ("a" * 80, True),
        ("0123456789" * 6, True),
        ("abcdefghijklmnopqrstuvwxyz" * 2, True),
        ("changeme" * 8, True),
        ("", True),
    ],
)
def test_what_a_weak_key_is(key, weak):
    assert is_weak(key) is weak


@pytest.mark.parametrize("start", WAYS)
def test_a_bad_setting_stops_every_start_in_words(new_service, start):
    done = start(new_service(REDIS_URL="redis://:h1dd/en@127.0.0.1:6379").environment)
    assert done.returncode != 0
    assert "REDIS_URL is not valid" in done.stderr
    assert "h1dd" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(params=[b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", b""], ids=["answers", "closes"])
def other_port(request):
    """Give a port that answers each connection as a web server does, or closes it as PostgreSQL does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.sendall(request.param)

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("start", [start_with_run_local, start_with_docker])
def test_a_start_is_refused_where_something_else_than_redis_answers(new_service, other_port, start):
    done = start(new_service(REDIS_URL=f"redis://127.0.0.1:{other_port}").environment)
    assert done.returncode != 0
    assert "REDIS_URL" in done.stderr
    assert "Redis" in done.stderr
    assert "Traceback" not in done.stderr


def test_requests_with_a_rate_are_answered_where_redis_lets_nobody_in(new_service, redis_server):
    """Its password may be changed while the service runs: web says so and goes on without it."""
    service = new_service(REDIS_URL=redis_server("--requirepass", "s3cret").url, RATE_LIMIT="100")
    service.start("web")
    answer = service.client.get("/models")
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert service.client.get("/score").status_code == 503  # no training yet
    assert "Redis answers at REDIS_URL, but refuses this user and password." in service.log("web")
    assert start_with_docker(service.environment).returncode == 78


@pytest.mark.parametrize("variable", ["REDIS_URL", "CELERY_BROKER_URL"])
def test_certificates_are_checked_for_cache_and_broker_alike(new_service, redis_server, variable):
    tls = redis_server("--tls")
    asked = (
        "from hate_speech.celery import app; from django_redis import get_redis_connection;"
        "connection = app.connection(); connection.ensure_connection(max_retries=1, timeout=2);"
        "connection.default_channel.client.ping();"
        "settings.REDIS_URL and get_redis_connection().ping(); print('in')"
    )
    code = f"from django.conf import settings; {asked}"
    refused = new_service(**{variable: tls.url}).manage("shell", "--no-imports", "-c", code)
    assert refused.returncode != 0
    assert "certificate verify failed" in refused.stderr.lower()
    for option in (f"ssl_ca_certs={tls.authority}", "ssl_cert_reqs=none"):
        trusted = new_service(**{variable: f"{tls.url}?{option}"}).manage("shell", "--no-imports", "-c", code)
        assert trusted.stdout.strip() == "in", trusted.stderr
    assert start_with_docker(new_service(**{variable: tls.url}).environment).returncode == 78


def test_a_database_that_does_not_answer_is_named_and_its_password_is_not(new_service):
    done = start_with_run_local(new_service(DATABASE_URL="postgres://u:h1dden@127.0.0.1:1/name").environment)
    assert done.returncode == 1
    assert "the database at DATABASE_URL does not answer" in done.stderr
    assert "h1dden" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_others_may_read_is_closed(new_service):
    service = new_service()
    service.migrate()
    database = service.folder / "db.sqlite3"
    (service.folder / "models").mkdir(exist_ok=True)
    for path in (service.folder, service.folder / "models"):
        path.chmod(0o755)
    database.chmod(0o644)
    assert service.manage("check").returncode == 0
    modes = {path: path.stat().st_mode & 0o077 for path in (service.folder, database, *service.folder.iterdir())}
    assert set(modes.values()) == {0}, modes


def test_a_folder_of_others_is_not_closed_but_refused(new_service, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "of-somebody-else").touch()
    done = new_service(HATE_SPEECH_DATA_DIR=str(shared)).manage("check")
    assert done.returncode == 1
    assert "other users of this machine may read the folder" in done.stderr
    assert shared.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in shared.iterdir()] == ["of-somebody-else"]


def test_a_file_elsewhere_that_holds_the_database_is_closed_too(new_service, tmp_path):
    database = tmp_path / "elsewhere.sqlite3"
    service = new_service(DATABASE_URL=f"sqlite:///{database}")
    database.touch(mode=0o644)
    assert service.manage("check").returncode == 0
    assert database.stat().st_mode & 0o077 == 0


def test_a_command_says_so_if_it_uses_another_database_than_the_service(new_service, tmp_path):
    service = new_service()
    service.start("web")
    assert "database" not in service.manage("api_keys", "list").stderr
    other = service.beside(tmp_path / "other", DATABASE_URL="postgres://u:h1dden@127.0.0.1:1/name")
    said = other.manage("check").stderr.splitlines()[0]
    assert said.startswith("This command uses PostgreSQL's name at 127.0.0.1:1. The service of this data folder uses SQLite's ")
    assert "h1dden" not in said


@pytest.fixture
def own_database():
    with new_database() as url:
        yield url


@pytest.mark.slow
def test_the_containers_of_a_fresh_installation_start_together(new_service, own_database, redis_environment):
    """Their commands, without the containers."""
    environment = redis_environment | {"REDIS_KEY_PREFIX": redis_environment["REDIS_KEY_PREFIX"] + "containers:"}
    service = new_service(**environment, DATABASE_URL=own_database, HATE_SPEECH_ENGINE="encoder")
    for name in ("web", "worker", "beat", "bootstrap"):
        with (service.folder / f"{name}.log").open("wb") as log:
            service.processes[name] = subprocess.Popen(
                COMPOSE["services"][name]["command"],
                cwd=ROOT,
                env=service.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    assert service.processes.pop("bootstrap").wait(120) == 0, service.log("bootstrap")
    check = COMPOSE["services"]["web"]["healthcheck"]["test"][-1].replace("8000", str(service.port))
    wait_until(lambda: not subprocess.run([sys.executable, "-c", check], capture_output=True).returncode, 60, "web's health")
    check = COMPOSE["services"]["beat"]["healthcheck"]["test"][-1].replace("/data", str(service.folder))
    wait_until(lambda: not subprocess.run(["sh", "-c", check]).returncode, 60, "beat's health")
    wait_until(lambda: service.client.get("/readyz").status_code == 200, 60, "readiness")
    assert "Traceback" not in "".join(service.log(name) for name in ("web", "worker", "beat", "bootstrap"))
