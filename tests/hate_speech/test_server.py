"""The HTTP server: slow clients hold nothing up, and every request is answered or ended."""

import contextlib
import subprocess
import time

import pytest

from hate_speech.connection import Fault, IncomingRequest

from ..raw import RawConnection, ask
from ..service import BINARIES, ENVIRONMENT, ROOT, free_port, wait_until
from .server_app import LARGE

HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"Connection: close\r\n"
GET = b"GET /echo HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def port(folder):
    """Give the port of one process of the server, with short deadlines and an application of the tests' own."""
    port = free_port()
    environment = ENVIRONMENT | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "CONFIGURATION": str(ROOT / "docker" / "gunicorn.conf.py"),
        "HATE_SPEECH_DATA_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [BINARIES / "gunicorn", "--config", ROOT / "tests/hate_speech/server_conf.py", "tests.hate_speech.server_app"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    wait_until(lambda: is_up(port), what="the server")
    yield port
    process.terminate()
    process.wait(30)
    assert "Traceback" not in (folder / "log").read_text()


def is_up(port) -> bool:
    with contextlib.suppress(OSError):
        return ask(port, GET + LAST + b"\r\n").startswith(b"HTTP/1.1 200")
    return False


def test_it_reads_a_body_of_any_framing(port):
    for framed in (
        b"Content-Length: 5\r\n\r\nhello",
        CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nA-Trailer: a\r\n\r\n",
    ):
        assert b"('POST', '/echo', None, b'hello')" in ask(port, HEAD + LAST + framed)


def test_a_body_of_tiny_chunks_costs_no_more_for_each_chunk_of_a_longer_one(port):
    tiny = b"1\r\na\r\n" * 340_000  # copied again for each of its chunks, these would be 350 GB
    said = ask(port, HEAD + LAST + CHUNKED + b"\r\n" + tiny + b"0\r\n\r\n")
    assert b"'" + b"a" * 340_000 + b"'" in said


def test_it_answers_requests_that_follow_each_other_on_a_connection(port):
    first = HEAD + b"Content-Length: 3\r\n\r\none"
    second = HEAD + CHUNKED + b"\r\n3\r\ntwo\r\n0\r\n\r\n"
    last = HEAD + LAST + b"Content-Length: 5\r\n\r\nthree"
    said = ask(port, first + second + last)
    assert [said.count(b"b'%b'" % word) for word in (b"one", b"two", b"three")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("request_line", "rest", "status"),
    [
        (HEAD, b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (HEAD, CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (HEAD, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (HEAD, b"Content-Length: five\r\n\r\nhello", 400),
        (HEAD, b"Content-Length: -5\r\n\r\nhello", 400),
        (HEAD, b"Content-Length: 1048577\r\n\r\n", 413),
        (HEAD, CHUNKED + b"\r\n100001\r\n", 413),
        (HEAD, CHUNKED + b"\r\n" + b"1\r\na\r\n" * 400_000, 413),
        (HEAD, CHUNKED + b"\r\nfive\r\nhello\r\n0\r\n\r\n", 400),
        (HEAD, CHUNKED + b"\r\n5\r\nhello!\r\n0\r\n\r\n", 400),
        (HEAD, CHUNKED + b"\r\n" + b"1" * 10_000, 400),
        (HEAD, b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (HEAD, b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD, b"Expect: a miracle\r\n\r\n", 417),
        (GET, b"A header without colon\r\n\r\n", 400),
        (GET, b"Host: again\r\n\r\n", 400),
        (GET, b"A: a\r\n folded\r\n\r\n", 400),
        (GET, b"A: \x00\r\n\r\n", 400),
        (GET, b"A: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (GET, b"A: a\r\n" * 20_000 + b"\r\n", 431),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n", b"Host: a\r\n\r\n", 414),
        (b"GET /\x00 HTTP/1.1\r\n", b"Host: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n", b"\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\n", b"\r\n", 400),
        (b"get / HTTP/1.1\r\n", b"\r\n", 400),
        (b"nonsense\r\n", b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n", b"\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_once_and_the_connection_ends(port, request_line, rest, status):
    said = ask(port, request_line + rest)
    assert said.startswith(b"HTTP/1.1 %d " % status), said[:200]
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"smuggled" not in said


def test_an_early_refusal_reaches_a_client_that_reads_only_when_it_has_sent_all(port):
    said = ask(port, HEAD + b"Content-Length: 8000000\r\n\r\n" + b"a" * 8_000_000)
    assert said.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_continue_is_told_to(port):
    with RawConnection(port) as client:
        client.send(HEAD + LAST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hello")
        assert b"b'hello'" in client.read_to_end()


@pytest.mark.parametrize("start", [b"GET / HT", HEAD + b"Content-Length: 100\r\n\r\n", HEAD + CHUNKED + b"\r\n64\r\n"])
def test_what_trickles_in_does_not_prolong_the_deadline(port, start):
    with RawConnection(port) as client:
        client.send(start)
        client.socket.settimeout(0.1)
        said = b""
        for _ in range(200):
            with contextlib.suppress(TimeoutError):
                said = client.socket.recv(1000)
                break
            client.send(b"a")
    assert said.startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_is_read_too_slowly_is_ended(port):
    with RawConnection(port, receive_buffer=4096) as client:
        client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(60):
            client.socket.recv(1)
            time.sleep(0.05)
        assert len(client.read_to_end()) < LARGE - 1_000_000


def test_slow_clients_hold_nothing_up(port):
    starts = [b"", b"GET / HT", HEAD + b"Content-Length: 100\r\n\r\n{", b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"]
    with contextlib.ExitStack() as stack:
        for start in starts * 16:
            stack.enter_context(RawConnection(port, receive_buffer=4096)).send(start)
        for _ in range(20):
            assert b"b'hello'" in ask(port, HEAD + LAST + b"Content-Length: 5\r\n\r\nhello")


def test_however_many_wait_there_is_room_for_one_more(port):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(RawConnection(port)).send(b"GET / HT")
        assert b"b'hello'" in ask(port, HEAD + LAST + b"Content-Length: 5\r\n\r\nhello")


def test_probes_are_answered_while_every_thread_works(port, folder):
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(RawConnection(port)) for _ in range(12)]
        for worker in workers:
            worker.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n" + LAST + b"\r\n")
        for path in (b"/healthz", b"/readyz", b"/healthz/?a=b", b"/prefix/healthz"):
            assert ask(port, b"GET %b HTTP/1.1\r\nHost: a\r\n" % path + LAST + b"\r\n").startswith(b"HTTP/1.1 200")
        (folder / "released").touch()
        assert all(worker.read_to_end().startswith(b"HTTP/1.1 200") for worker in workers)


def test_the_application_can_tell_that_its_client_has_gone(port, folder):
    with RawConnection(port) as client:
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until((folder / "gone").exists)


def test_headers_set_nothing_of_the_servers(port):
    said = ask(port, b"GET /public/echo HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /public\r\nPATH_INFO: /b\r\n" + LAST + b"\r\n")
    assert b"'/public/echo'" in said


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_where_a_request_ends_is_found_whatever_the_pieces_it_comes_in(size):
    for whole in (
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"content-length: 11\r\n\r\nhello world",
        HEAD + CHUNKED + b"\r\n5\r\nhello\r\n6;a\r\n world\r\n0\r\nB: b\r\n\r\n",
    ):
        request = IncomingRequest(b"", 100)
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert [request.add(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert request.fault is None


def test_the_limit_of_a_body_is_that_of_its_content():
    for body, fault in ((b"64\r\n" + b"a" * 100, None), (b"65\r\n" + b"a" * 101, Fault.BODY_TOO_LARGE)):
        request = IncomingRequest(HEAD + CHUNKED + b"\r\n" + body + b"\r\n0\r\n\r\n", 100)
        assert request.is_complete()
        assert request.fault is fault
