"""The HTTP server: gunicorn's threads, behind a loop that holds the clients.

1. The loop reads what clients send, within deadlines and limits of size.
2. Once a request is complete, a thread parses it with gunicorn's own parser and runs the application.
3. The loop sends what the client does not take at once.

So a slow client holds no thread. gunicorn's own threads read and write by themselves, without a deadline, so a few slow clients
stop all others. Health probes have threads of their own, and are answered whatever the other threads do.
"""

import contextlib
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from io import BytesIO
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR
from typing import Any

from gunicorn.http import get_parser, wsgi
from gunicorn.http.errors import ExpectationFailed, LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from .connection import Connection, Fault, IncomingRequest, State

# Seconds for each step as a whole: what trickles in does not prolong them.
HEAD_SECONDS = 10
BODY_SECONDS = 30
ANSWER_SECONDS = 60
LINGER_SECONDS = 10
_SWEEP_SECONDS = 0.5
# gunicorn copies what is left of a piece for each chunk in it: a body of tiny chunks in one piece would take minutes.
_PIECE_BYTES = 8 * 1024
_PROBE = re.compile(rb"(?:GET|HEAD) (?:/[^ ?]*)?/(healthz|readyz)/?[ ?]")  # below any prefix
_PATH = re.compile(rb"[A-Z]+ (/[!-~]{0,2000}?)[ ?#]")

# What the application is to answer instead of the request: status, message, and a code; of a 400 the field in its place.
Refusal = tuple[int, str, str]
_MALFORMED = (400, "This is not valid HTTP.", "body")
_TOO_SLOW = (408, "The request did not arrive in time.", "request_timeout")
_FAULTS: dict[object, Refusal] = {
    Fault.HEAD_TOO_LARGE: (431, "The headers are too large.", "headers_too_large"),
    Fault.BODY_TOO_LARGE: (413, "The body is over 1 MiB. Send fewer tweets at a time.", "request_too_large"),
    LimitRequestHeaders: (431, "The headers are too large.", "headers_too_large"),
    LimitRequestLine: (414, "The URL is too long.", "url_too_long"),
    ExpectationFailed: (417, "Only `Expect: 100-continue` is understood.", "expectation_failed"),
}


class BufferingWorker(ThreadWorker):
    """gunicorn's threaded worker, whose threads never wait for a client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[Connection] = set()
        self._next_sweep = 0.0
        self._probe_pools = {name: ThreadPoolExecutor(1) for name in (b"healthz", b"readyz")}

    def load_wsgi(self) -> None:
        super().load_wsgi()
        from django.conf import settings  # there are none before the application is loaded

        self._max_body = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    # --- in the loop ---

    def accept(self, listener: Any) -> None:
        """Take a new client.

        An idle sibling process may do so first. Otherwise, the first process to wake sometimes accepts all connections that a
        client opens at once. Then the other core idles, and the throughput is half.
        """
        if self.nr_conns:
            time.sleep(0.0002)
        try:
            sock, client = listener.accept()
        except OSError:  # a sibling was faster, or the client has gone
            return
        if self.nr_conns >= self.worker_connections - 1:
            self._drop_the_slowest()
        connection = Connection(sock, client, listener.getsockname())
        self._connections.add(connection)
        self.nr_conns += 1
        self._expect_request(connection)

    def _drop_the_slowest(self) -> None:
        """Close the connection that has kept the service waiting for longest, so that there is room for another."""
        waiting = [connection for connection in self._connections if connection.state is State.RECEIVING]
        if waiting:
            self._close(min(waiting, key=lambda connection: connection.deadline))

    def _wait_for(self, connection: Connection, state: State, seconds: float) -> None:
        """Wait for the client, up to a deadline."""
        self._stop_waiting(connection)
        connection.state, connection.deadline = state, time.monotonic() + seconds
        event = EVENT_WRITE if state is State.SENDING else EVENT_READ
        self.poller.register(connection.sock, event, partial(self._go_on, connection))

    def _stop_waiting(self, connection: Connection) -> None:
        if connection.state is not State.WORKING:
            self.poller.unregister(connection.sock)
            connection.state = State.WORKING

    def _close(self, connection: Connection) -> None:
        self._stop_waiting(connection)
        self._connections.discard(connection)
        self.nr_conns -= 1
        connection.sock.close()

    def _expect_request(self, connection: Connection) -> None:
        connection.request = IncomingRequest(connection.rest, self._max_body)
        if connection.request.is_complete():
            self._start_work(connection)
        else:
            self._wait_for(connection, State.RECEIVING, HEAD_SECONDS if connection.request else self.cfg.keepalive)

    def _go_on(self, connection: Connection, _sock: object) -> None:
        """Read or write, as far as the client lets us."""
        if connection.state is State.WORKING:  # closed in the same turn of the loop
            return
        if connection.state is State.SENDING:
            self._send(connection)
            return
        data = connection.receive()
        if data == b"":
            self._close(connection)
        elif data and connection.state is State.RECEIVING:
            self._receive(connection, data)

    def _receive(self, connection: Connection, data: bytes) -> None:
        request = connection.request
        if not request:  # its first bytes
            connection.deadline = time.monotonic() + HEAD_SECONDS
        had_head = request.has_head
        if request.add(data):
            self._start_work(connection)
        elif request.has_head and not had_head:
            connection.deadline += BODY_SECONDS - HEAD_SECONDS
            if request.expects_continue:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                with contextlib.suppress(OSError):
                    connection.flush()

    def _start_work(self, connection: Connection, refusal: Refusal | None = None) -> None:
        self._stop_waiting(connection)
        probe = _PROBE.match(connection.request.data)
        pool = self._probe_pools[probe[1]] if probe else self.tpool
        work = pool.submit(self._answer, connection, refusal or _FAULTS.get(connection.request.fault))
        work.add_done_callback(lambda done: self.method_queue.defer(self._finish_work, connection, done))

    def _finish_work(self, connection: Connection, work: Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if error and not isinstance(error, OSError):
            self.log.error("An answer could not be written: %s", type(error).__name__)
        if error or work.cancelled():
            self._close(connection)
        else:
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        try:
            is_sent = connection.flush()
        except OSError:
            self._close(connection)
            return
        if not is_sent:
            if connection.state is not State.SENDING:
                self._wait_for(connection, State.SENDING, ANSWER_SECONDS)
        elif connection.is_kept and self.alive:
            self._stop_waiting(connection)
            self._expect_request(connection)
        else:
            # To close a socket while bytes wait in it resets the connection, and the client may not read its answer then.
            with contextlib.suppress(OSError):
                connection.sock.shutdown(SHUT_WR)
            self._wait_for(connection, State.LINGERING, LINGER_SECONDS)

    def murder_keepalived(self, force: bool = False) -> None:
        """End the waiting for clients that are too slow. gunicorn calls this in each turn of its loop."""
        now = time.monotonic()
        if now < self._next_sweep and not force:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for connection in [*self._connections]:
            if connection.state is State.WORKING or (connection.deadline > now and not force):
                continue
            if connection.state is State.RECEIVING and connection.request and not force:
                self._start_work(connection, _TOO_SLOW)
            else:
                self._close(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close connections that owe nobody an answer by `deadline` at the latest. gunicorn calls this when it stops."""
        for connection in self._connections:
            if connection.state is State.LINGERING or (connection.state is State.RECEIVING and not connection.request):
                connection.deadline = min(connection.deadline, deadline)

    # --- in a thread ---

    def _answer(self, connection: Connection, refusal: Refusal | None) -> None:
        """Run the application on a request that is complete, or on one that it is to refuse."""
        request, body, rest, refusal = self._parse(connection, refusal)
        response, environ = wsgi.create(request, connection, connection.client, connection.server, self.cfg)
        environ |= {"wsgi.input": BytesIO(body), "wsgi.multithread": True, "api.is_client_gone": connection.is_client_gone}
        if environ.pop("HTTP_TRANSFER_ENCODING", None) or refusal:
            environ["CONTENT_LENGTH"] = str(len(body))
        if refusal:
            environ["api.refusal"] = refusal
        if refusal or not self.alive:
            response.force_close()
        parts = self.wsgi(environ, response.start_response)
        try:
            for part in parts:
                if request.method != "HEAD":  # which has the headers alone; gunicorn would warn of each
                    response.write(part)
            response.close()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        connection.rest, connection.is_kept = rest, not response.should_close()
        connection.flush()

    def _parse(self, connection: Connection, refusal: Refusal | None) -> tuple[Any, bytes, bytes, Refusal | None]:
        """Return the request as gunicorn understands it, its body, what follows it, and why it is refused, if it is."""
        data = bytes(connection.request.data)
        try:
            request, parser = self._read_request(data, connection.client)
            body = b"" if refusal else request.body.read()
            length = dict(request.headers).get("CONTENT-LENGTH")
            if refusal or length is None or int(length) == len(body):
                return request, body, b"".join(iter(parser.unreader.read, b"")), refusal
        except Exception as error:
            refusal = refusal or _FAULTS.get(type(error))
        # In its place a request without a fault, for the same path: the answer has the path's shape.
        path = _PATH.match(data)
        request, _ = self._read_request(b"GET %b HTTP/1.1\r\n\r\n" % (path[1] if path else b"/"), connection.client)
        return request, b"", b"", refusal or _MALFORMED

    def _read_request(self, data: bytes, client: Any) -> tuple[Any, Any]:
        pieces = (data[start : start + _PIECE_BYTES] for start in range(0, len(data), _PIECE_BYTES))
        parser = get_parser(self.cfg, pieces, client)
        request = next(parser)
        request._expected_100_continue = False  # the loop has sent it
        return request, parser
