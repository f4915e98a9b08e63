"""A key that is known needs no database: not one that can be written, and for an hour none at all."""

import contextlib
import shutil
import socket
import sqlite3
from urllib.parse import urlsplit

import httpx
import pytest

from ...conftest import new_database
from ...proxy import Proxy
from ...service import Service, wait_until

# The client gives up long before a request would that waits for the database.
PATIENCE_SECONDS = 8


def start_closed(service: Service, trained_store) -> httpx.Client:
    """Start web with a version, and return a client that shows a key which was never used."""
    shutil.copytree(trained_store.root, service.store)
    service.start("web")
    made = service.manage("api_keys", "create", "forum")
    assert made.returncode == 0, made.stderr
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    return httpx.Client(base_url=service.url, timeout=PATIENCE_SECONDS, headers=headers)


def ask(client: httpx.Client) -> int:
    return client.post("/predict", json={"tweet": "Good morning"}).status_code


@pytest.mark.embedded
def test_no_request_waits_for_a_write(new_service, trained_store):
    service = new_service(HATE_SPEECH_OPEN_ACCESS="false")
    with (
        start_closed(service, trained_store) as client,
        contextlib.closing(sqlite3.connect(service.folder / "db.sqlite3")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert ask(client) == 200
        other.rollback()


@pytest.mark.embedded
def test_no_request_waits_long_for_a_database_that_never_answers(new_service):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        service = new_service(HATE_SPEECH_OPEN_ACCESS="false", DATABASE_URL=url)
        service._is_migrated = True
        service.start("web")
        headers = {"Authorization": "Bearer hs_unknown"}
        answer = httpx.post(f"{service.url}/predict", json={"tweet": "a"}, headers=headers, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"


@pytest.mark.slow
def test_a_known_key_is_answered_while_the_database_is_away(new_service, trained_store):
    with new_database() as url:
        parts = urlsplit(url)
        proxy = Proxy((parts.hostname, parts.port or 5432))
        through_proxy = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}").geturl()
        # One process: another would know the key only some seconds after its first use.
        service = new_service(HATE_SPEECH_OPEN_ACCESS="false", DATABASE_URL=through_proxy, WEB_CONCURRENCY="1")
        with start_closed(service, trained_store) as client:
            assert ask(client) == 200
            used = "from api.access.models import ApiKey; print(ApiKey.objects.get().last_used_at is not None)"
            wait_until(lambda: service.query(used) == "True", 60, "the record of the key's use")
            proxy.stop()
            wait_until(lambda: "Keys cannot be looked up" in service.log("web"), 60, "the refresh that fails")
            for _ in range(20):
                assert ask(client) == 200
            assert client.post("/predict", json={"tweet": "a"}, headers={"Authorization": "Bearer hs_other"}).status_code == 503
            proxy.start()
            assert service.manage("api_keys", "revoke", "forum").returncode == 0
            wait_until(lambda: ask(client) == 401, 60, "the revocation")
        service.stop()
        proxy.stop()
