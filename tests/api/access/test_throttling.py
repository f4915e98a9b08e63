"""What a caller may spend, and who counts as one caller."""

import socket
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import limits.storage.memory
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import throttling
from api.access.addresses import find_address
from api.access.throttling import spend


@pytest.fixture
def clock(monkeypatch, settings):
    """Give the clock of the counts in memory, which a test may set; nothing has been counted yet."""
    settings.WEB_CONCURRENCY = 1
    clock = SimpleNamespace(now=60_000.0)
    monkeypatch.setattr(limits.storage.memory, "time", SimpleNamespace(time=lambda: clock.now))
    throttling._memory.reset()
    yield clock
    throttling._memory.reset()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "2.2.2.2", "9.9.9.9"),
        (1, "", "9.9.9.9"),
        # Azure and IIS add the port.
        (1, "203.0.113.7:50001", "203.0.113.7"),
        (1, "[2001:db8::1]:443", "2001:db8::/64"),
        # One client may use all addresses of its network.
        (1, "2001:db8::1", "2001:db8::/64"),
        (1, "2001:0DB8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        (1, "2001:db8:0:1::1", "2001:db8:0:1::/64"),
        (1, '"[2001:db8::1]"', "2001:db8::/64"),
        # The same client, over a socket that takes both kinds.
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "[::ffff:cb00:7107]:50001", "203.0.113.7"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "[fe80::1%25eth0]:80", "fe80::/64"),
        # What is no address is not believed.
        (1, "unknown", "9.9.9.9"),
        (1, "_hidden", "9.9.9.9"),
        (1, "1.1.1.1, 300.1.1.1", "9.9.9.9"),
        (1, "[]:443", "9.9.9.9"),
        (1, "1.2.3.4:5:6", "9.9.9.9"),
        (1, "\N{ARABIC-INDIC DIGIT ONE}.1.1.1", "9.9.9.9"),
    ],
)
def test_a_client_has_one_address_however_a_proxy_writes_it(settings, rf, proxies, forwarded, address):
    settings.PROXIES = proxies
    assert find_address(rf.get("/", REMOTE_ADDR="9.9.9.9", HTTP_X_FORWARDED_FOR=forwarded)) == address


@pytest.mark.parametrize(
    ("connected", "address"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::7", "2001:db8::/64"), ("", ""), ("a socket", "a socket")],
)
def test_the_address_that_connected_is_read_the_same_way(rf, connected, address):
    assert find_address(rf.get("/", REMOTE_ADDR=connected)) == address


@given(st.text())
def test_whatever_stands_in_the_header_is_an_address_or_none(text):
    request = SimpleNamespace(META={"HTTP_X_FORWARDED_FOR": text, "REMOTE_ADDR": "9.9.9.9"})
    assert find_address(request)


def test_no_more_passes_than_the_rate(clock):
    assert [spend("a", "requests", 1, 3)[:2] for _ in range(4)] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert spend("b", "requests", 1, 3)[0]
    assert spend("a", "tokens", 1, 3)[0]


def test_a_refused_cost_is_not_spent(clock):
    assert spend("a", "tokens", 90, 100)[:2] == (True, 10)
    assert spend("a", "tokens", 11, 100)[:2] == (False, 10)
    assert spend("a", "tokens", 10, 100)[:2] == (True, 0)


def test_more_than_the_rate_counts_as_the_rate(clock):
    assert spend("a", "tokens", 1_000, 100)[:2] == (True, 0)
    assert not spend("a", "tokens", 1_000, 100)[0]


def test_what_is_given_back_may_be_spent_again(clock):
    for _ in range(10):
        assert spend("a", "requests", 1, 1)[0]
        spend("a", "requests", -1, 1)


def test_two_windows_that_meet_do_not_allow_twice_the_rate(clock):
    clock.now += 59
    assert [spend("a", "requests", 1, 20)[0] for _ in range(20)] == [True] * 20
    clock.now += 2
    assert sum(spend("a", "requests", 1, 20)[0] for _ in range(20)) <= 1
    clock.now += 60
    assert sum(spend("a", "requests", 1, 20)[0] for _ in range(20)) >= 19


SPENDING = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 100)), min_size=1, max_size=20)


@given(SPENDING, st.integers(1, 100), st.sampled_from([60, 900]))
def test_who_waits_as_told_passes_and_who_waits_less_does_not(spent, amount, seconds):
    clock = SimpleNamespace(now=600_000.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.storage.memory, "time", SimpleNamespace(time=lambda: clock.now))
        patch.setattr(throttling.settings, "WEB_CONCURRENCY", 1)
        throttling._memory.reset()
        for pause, cost in spent:
            clock.now += pause
            spend("a", "tokens", cost, 100, seconds)
        passes, _, wait = spend("a", "tokens", amount, 100, seconds)
        if passes:
            return
        assert 0 <= wait <= 2 * seconds
        clock.now += max(0, wait - 0.5)
        assert wait < 1 or not spend("a", "tokens", amount, 100, seconds)[0]
        clock.now += 0.501
        assert spend("a", "tokens", amount, 100, seconds)[0]


def test_threads_that_spend_at_once_get_the_rate_together(clock):
    def spend_all(_):
        return sum(spend("a", "requests", 1, 500)[0] for _ in range(400))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(spend_all, range(4))) == 500
    finally:
        sys.setswitchinterval(before)


def test_many_callers_do_not_fill_the_memory(clock, monkeypatch):
    monkeypatch.setattr(throttling, "_MAX_COUNTS", 50)
    for number in range(500):
        spend(f"address:{number}", "requests", 1, 20)
    assert len(throttling._memory.storage) <= 50


# --- Redis, or what else listens there ---


@pytest.fixture
def redis_at(settings, monkeypatch):
    """Give a function that sets the Redis whose counts hold."""

    def use(url: str, prefix: str = "test:"):
        settings.REDIS_URL, settings.REDIS_KEY_PREFIX = url, prefix
        options = {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5}
        settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url, "OPTIONS": options}}
        monkeypatch.setattr(throttling, "_redis_is_back_at", 0.0)

    return use


def test_redis_counts_for_all_processes(redis_environment, redis_at, clock):
    redis_at(redis_environment["REDIS_URL"], redis_environment["REDIS_KEY_PREFIX"])
    passes, left, wait = spend("b", "tokens", 25, 100)
    assert (passes, left) == (True, 75)
    assert 50 < wait <= 60  # as much would pass now; this window ends then
    assert spend("b", "tokens", 45, 100)[:2] == (True, 30)
    throttling._memory.reset()  # as another process, which counted nothing itself
    passes, left, wait = spend("b", "tokens", 40, 100)
    assert (passes, left) == (False, 30)
    assert 60 < wait <= 90  # the window's end, and then until a part of it has faded
    spend("b", "tokens", -70, 100)
    assert spend("b", "tokens", 1_000, 100)[:2] == (True, 0)


class OddServer:
    """Answers whatever it is asked with the same bytes; `None` closes the connection, and b"" never answers."""

    def __init__(self, answer: bytes | None):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        self.clients = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
                self.clients.append(client)
                if self.answer is None:
                    client.close()
                elif client.recv(65536):
                    client.sendall(self.answer * 20)
            except OSError:
                return

    def stop(self):
        for one in (*self.clients, self.listener):
            one.close()


ODD_ANSWERS = {
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a number": b":5\r\n",
    "nothing": b"$-1\r\n",
    "an empty list": b"*0\r\n",
    "words": b"+OK\r\n",
    "an error": b"-ERR unknown command\r\n",
    "not allowed": b"-NOPERM no permission to run eval\r\n",
    "bytes": b"$3\r\n\xff\xfe\xfd\r\n",
    "lists in lists": b"*2\r\n*1\r\n:1\r\n*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
    "it hangs up": None,
    "it never answers": b"",
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_no_answer_of_redis_costs_a_request(redis_at, clock, caplog, answer):
    server = OddServer(answer)
    redis_at(server.url)
    try:
        said = Counter(spend("c", "requests", 1, 2)[0] for _ in range(3))
    finally:
        server.stop()
    assert said == {True: 2, False: 1}
    assert len([record for record in caplog.records if record.name == throttling.__name__]) == 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9", "redis://no-such-host.invalid", "redis://:a@b/c:d@127.0.0.1:9"])
def test_one_warning_tells_that_redis_is_away(redis_at, clock, caplog, monkeypatch, url):
    redis_at(url)
    for _ in range(3):
        assert spend("d", "requests", 1, 20)[0]
        monkeypatch.setattr(throttling, "_redis_is_back_at", 1e-9)  # the time to try again has come
    assert len([record for record in caplog.records if record.name == throttling.__name__]) == 1
