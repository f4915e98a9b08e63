"""Losing Redis costs speed, never a label and never an answer."""

import base64
import json
import shutil
from urllib.parse import urlsplit

import pytest
import redis

from ..proxy import Proxy
from ..service import wait_until


@pytest.fixture
def proxied(redis_environment, new_service):
    url = urlsplit(redis_environment["REDIS_URL"])
    proxy = Proxy((url.hostname, url.port or 6379))
    credentials = f"{url.netloc.rpartition('@')[0]}@" if "@" in url.netloc else ""
    through_proxy = f"redis://{credentials}127.0.0.1:{proxy.port}{url.path}"
    service = new_service(REDIS_URL=through_proxy, REDIS_KEY_PREFIX=redis_environment["REDIS_KEY_PREFIX"] + "proxied:")
    service.start("web", "worker")
    assert service.manage("exec_train", "--wait").returncode == 0
    service.wait_for_version()
    yield service, proxy
    service.stop()
    proxy.stop()


@pytest.mark.slow
def test_everything_is_answered_while_redis_is_away(proxied):
    service, proxy = proxied
    version = service.active_version()
    proxy.stop()
    assert service.client.post("/predict", json={"tweet": "a text"}).json()["version"] == version
    assert service.client.post("/reviewed", json={"tweet": "kept without Redis", "is_hate_speech": True}).status_code == 200
    assert service.client.get("/score").json()["version"] == version
    ready = service.client.get("/readyz")
    assert ready.status_code == 503
    parts = ready.json()
    assert [parts[name] for name in ("database", "broker", "model")] == ["ok", "not reachable", "ok"]
    assert service.client.get("/readyz", params={"for": "serving"}).status_code == 200
    # A training asked for meanwhile is a row, and begins once Redis is back.
    asked = service.manage("exec_train")
    assert asked.returncode == 0
    assert "cannot be reached" in asked.stderr

    proxy.start()
    service.start("beat")
    wait_until(lambda: len(service.versions()) == 2, 90, "the training")
    kept = service.query("from api.labels.models import Label; print(Label.objects.get(tweet__text='kept without Redis').value)")
    assert kept == "True"


def test_nothing_in_redis_is_pickle(redis_environment, new_service, trained_store):
    prefix = redis_environment["REDIS_KEY_PREFIX"] + "unworked:"
    service = new_service(**redis_environment | {"REDIS_KEY_PREFIX": prefix})
    shutil.copytree(trained_store.root, service.store)
    service.start("web")
    assert service.client.get("/score").status_code == 200
    assert service.manage("exec_train").returncode == 0  # no worker takes it out again
    with redis.Redis.from_url(redis_environment["REDIS_URL"]) as client:
        found = {key.decode().removeprefix(prefix): values_of(client, key) for key in client.scan_iter(f"{prefix}*")}
    assert [key for key in found if "score:" in key]
    [message] = found["celery"]
    assert json.loads(message)["content-type"] == "application/json"
    assert isinstance(json.loads(base64.b64decode(json.loads(message)["body"])), list)
    assert not [value for values in found.values() for value in values if value.startswith(b"\x80")]


def values_of(client: redis.Redis, key: bytes) -> list[bytes]:
    """Return what is kept under a key, whatever its kind."""
    read = {
        b"string": lambda: [client.get(key)],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"hash": lambda: client.hvals(key),
        b"zset": lambda: client.zrange(key, 0, -1),
    }
    return list(read[client.type(key)]())
