"""Losing Redis costs speed, never a label and never an answer."""

import socket
import threading
from urllib.parse import urlsplit

import pytest

from ..service import wait_until


class Proxy:
    """A TCP proxy in front of Redis, which a test can stop and start: the server itself is not the tests' to stop."""

    def __init__(self, target: tuple[str, int]):
        self.target = target
        self.sockets: list[socket.socket] = []
        self.listener = None
        self.port = 0
        self.start()

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                one.close()
        self.sockets.clear()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            self.sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            return


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
    assert ready.json() == {"database": "ok", "broker": "not reachable", "model": "ok"}
    # A training asked for meanwhile is a row, and begins once Redis is back.
    asked = service.manage("exec_train")
    assert asked.returncode == 0
    assert "cannot be reached" in asked.stderr

    proxy.start()
    service.start("beat")
    wait_until(lambda: len(service.versions()) == 2, 90, "the training")
    kept = service.query("from api.labels.models import Label; print(Label.objects.get(tweet__text='kept without Redis').value)")
    assert kept == "True"


def test_nothing_in_redis_is_pickle(redis_environment, service):
    import redis

    if "REDIS_URL" not in service.environment:
        pytest.skip("this service runs without Redis")
    service.client.get("/score")
    service.manage("exec_train")
    with redis.Redis.from_url(redis_environment["REDIS_URL"]) as client:
        for key in client.scan_iter(f"{redis_environment['REDIS_KEY_PREFIX']}*"):
            kind = client.type(key)
            values = {
                b"string": lambda key=key: [client.get(key)],
                b"list": lambda key=key: client.lrange(key, 0, -1),
                b"set": lambda key=key: client.smembers(key),
                b"hash": lambda key=key: [*client.hgetall(key).values()],
                b"zset": lambda key=key: client.zrange(key, 0, -1),
            }[kind]()
            assert not [value for value in values if value.startswith(b"\x80")]
