"""What the tests share: a real service of real processes, on SQLite and files, and on PostgreSQL and Redis where they answer."""

import csv
import logging
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from api.labels.services import STARTER_TWEETS
from hate_speech_AI.core import Classifier, classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import STARTER, Row

from .environment import SERVICE_URLS
from .pretrained import copy_pretrained
from .service import COMMANDS, Service
from .web import Web

logging.getLogger("httpx").setLevel(logging.WARNING)

DATASETS = Path(__file__).parent.parent.parent / "shared" / "datasets"


@contextmanager
def new_database() -> Iterator[str]:
    """Give the URL of a new PostgreSQL database, dropped afterwards; skip where no server answers."""
    admin_url = SERVICE_URLS["database"]
    try:
        admin = psycopg.connect(admin_url, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip(f"PostgreSQL does not answer at {admin_url.rsplit('@')[-1]}")
    name = f"hate_speech_test_{uuid.uuid4().hex[:12]}"
    admin.execute(f"CREATE DATABASE {name}")
    yield admin_url.rsplit("/", 1)[0] + "/" + name
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(scope="session")
def postgres_url():
    """Give the URL of a PostgreSQL database of the tests' own."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_environment():
    """Give REDIS_URL (database 15) and a key prefix of the tests' own; skip where no server answers."""
    base = SERVICE_URLS["redis"].rstrip("/")
    if base.count("/") > 2:
        base = base.rsplit("/", 1)[0]
    url = f"{base}/15"
    prefix = f"test-{uuid.uuid4().hex[:12]}:"
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.RedisError:
        pytest.skip(f"Redis does not answer at {base.rsplit('@')[-1].removeprefix('redis://')}")
    yield {"REDIS_URL": url, "REDIS_KEY_PREFIX": prefix}
    keys = list(client.scan_iter(f"{prefix}*"))
    if keys:
        client.delete(*keys)
    client.close()


def pytest_generate_tests(metafunc):
    """Run each test of a service on both backends, unless it is marked `embedded`."""
    if "backend" in metafunc.fixturenames:
        is_embedded = metafunc.definition.get_closest_marker("embedded")
        backends = ["embedded"] if is_embedded else ["embedded", "postgres-redis"]
        metafunc.parametrize("backend", backends, indirect=True, scope="session")


@pytest.fixture(scope="session")
def backend(request) -> dict[str, str]:
    """Give the environment of each kind of installation in turn."""
    if request.param == "embedded":
        return {}
    return {
        "DATABASE_URL": request.getfixturevalue("postgres_url"),
        **request.getfixturevalue("redis_environment"),
    }


@pytest.fixture(scope="session", autouse=True)
def all_ends():
    """Leave no process behind."""
    yield
    Service.wait_for_ends()
    COMMANDS.stop()


@pytest.fixture(scope="session")
def service(backend, tmp_path_factory):
    """Give a running service of web, worker and beat that has trained on the starter tweets.

    Tests share it, in any order: they only add, with texts of their own, and `newest_again` undoes what they activate.
    """
    with Service(tmp_path_factory.mktemp("service"), backend) as running:
        running.start("web", "worker", "beat")
        trained = running.manage("exec_train", "--wait")
        assert trained.returncode == 0, trained.stderr
        running.wait_for_version()
        yield running


@pytest.fixture(scope="session")
def encoder_service(tmp_path_factory):
    """Give a running service of the default engine, on SQLite and files; tests share it as they share `service`."""
    with Service(tmp_path_factory.mktemp("encoder"), {"HATE_SPEECH_ENGINE": "encoder"}) as running:
        running.start("web", "worker")
        begun = running.manage("exec_train", "--wait")
        assert begun.returncode == 0, begun.stderr
        running.wait_for_version()
        yield running


@pytest.fixture(scope="session")
def untrained_service(tmp_path_factory):
    """Give a running web without a model; tests share it, and add nothing."""
    with Service(tmp_path_factory.mktemp("untrained"), {}) as running:
        running.start("web")
        yield running


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory) -> ModelStore:
    """Give a store with one version of engine linear, of the starter tweets; it is copied before it is changed."""
    store = ModelStore(tmp_path_factory.mktemp("trained") / "models", LinearEngine)
    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file:
        rows = [Row(row["tweet"], row["label"] == "1", STARTER) for row in csv.DictReader(file)]
    Classifier(store).train_model(sorted(rows, key=lambda row: fingerprint(row.text)))  # the database's order
    return store


@pytest.fixture
def store(tmp_path, trained_store) -> Iterator[ModelStore]:
    """Give a copy of `trained_store`, which `classifier` serves until the test ends."""
    shutil.copytree(trained_store.root, tmp_path / "models")
    before = classifier.store, classifier.cache
    copy = ModelStore(tmp_path / "models", LinearEngine)
    classifier.use(copy)
    yield copy
    classifier.use(*before)


@pytest.fixture(scope="session")
def pretrained_folders(tmp_path_factory) -> dict[bool, Path]:
    """Give copies of the shipped files: by whether they hold labels and targets that learn nothing."""
    folder = tmp_path_factory.mktemp("pretrained")
    return {kind: copy_pretrained(folder / str(kind), with_others=kind) for kind in (True, False)}


@pytest.fixture
def with_others(pretrained_folders, monkeypatch):
    """Ship the files that hold such labels and targets, until the test ends."""
    monkeypatch.setattr(Shipped.__init__, "__defaults__", (pretrained_folders[True],))


@pytest.fixture
def without_others(pretrained_folders, monkeypatch):
    """Ship the files that hold none, until the test ends."""
    monkeypatch.setattr(Shipped.__init__, "__defaults__", (pretrained_folders[False],))


@pytest.fixture
def serve_encoder(tmp_path):
    """Give a function that serves the shipped encoder from a new store, until the test ends."""
    before = classifier.store, classifier.cache

    def begin() -> ModelStore:
        store = ModelStore(tmp_path / "encoder", EncoderEngine)
        bootstrap_shipped_version(store)
        classifier.use(store)
        return store

    yield begin
    classifier.use(*before)


@pytest.fixture(autouse=True)
def newest_again(request):
    """Leave a shared service as the next test expects it: its newest version is active, not pinned, and served."""
    yield
    for name in {"service", "encoder_service"} & {*request.fixturenames}:
        request.getfixturevalue(name).activate_the_newest()


@pytest.fixture
def new_service(tmp_path):
    """Give a function that makes a service of its own, with nothing in it and nothing started."""
    made = []

    def make(**environment: str) -> Service:
        made.append(Service(tmp_path / f"service{len(made)}", environment))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def datasets_folder() -> Path:
    """Give the folder of public datasets; skip where it is not beside the checkout."""
    if not DATASETS.is_dir():
        pytest.skip("the public datasets are not beside this checkout")
    return DATASETS


@pytest.fixture
def web():
    """Give a web server of the tests' own, whose pages the test writes."""
    server = Web()
    yield server
    server.stop()
