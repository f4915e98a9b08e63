"""One client's connection: the request that arrives, and the answer that leaves. Nothing in here waits."""

import re
import select
import socket
from enum import Enum, auto
from typing import Any

MAX_HEAD_BYTES = 64 * 1024
# Each chunk may add as much framing to a body as this, and no more.
_FRAMING_FACTOR = 2
_MAX_CHUNK_LINE = 8 * 1024
_RECEIVE_BYTES = 64 * 1024

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class Fault(Enum):
    """Why a request is refused before it is complete."""

    HEAD_TOO_LARGE = auto()
    BODY_TOO_LARGE = auto()


class IncomingRequest:
    """The bytes of a request, until all of it is here.

    It only finds where the request ends. What the bytes mean is for gunicorn's parser, which reads no further than these bytes: a
    request that the two understand differently is malformed, and nothing waits for it.

    Parameters
    ----------
    data : bytes
        What the client sent after its last request.
    max_body : int
        The most bytes of a body, without the framing of its chunks.
    """

    def __init__(self, data: bytes, max_body: int) -> None:
        self.data = bytearray(data)
        self.fault: Fault | None = None
        self._max_body = max_body
        self._searched = 0
        self._head_end = 0
        self._body_end: int | None = None  # known at once if the head says a length
        self._chunk_start = self._decoded = 0

    def __bool__(self) -> bool:
        return bool(self.data)

    @property
    def has_head(self) -> bool:
        return self._head_end > 0

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a `100 Continue` before it sends the body."""
        return self.has_head and len(self.data) == self._head_end and bool(_EXPECTS.search(self.data))

    def add(self, data: bytes) -> bool:
        """Add bytes; return whether the request is complete, or has a fault already."""
        self.data += data
        return self.is_complete()

    def is_complete(self) -> bool:
        if not self._head_end and not self._find_head():
            return self.fault is not None
        if self._body_end is None and not self._find_last_chunk():
            return self.fault is not None
        return self.fault is not None or (self._body_end is not None and len(self.data) >= self._body_end)

    def _find_head(self) -> bool:
        start = max(0, self._searched - 3)
        self._searched = len(self.data)
        found = self.data.find(b"\r\n\r\n", start)
        if (found if found >= 0 else len(self.data)) > MAX_HEAD_BYTES:
            self.fault = Fault.HEAD_TOO_LARGE
        if found < 0:
            return False
        self._head_end = self._chunk_start = found + 4
        head = bytes(self.data[: self._head_end])
        length = _LENGTH.search(head)
        if length:
            self._body_end = self._head_end + int(length[1])
            if int(length[1]) > self._max_body:
                self.fault = Fault.BODY_TOO_LARGE
        elif not _CHUNKED.search(head):
            self._body_end = self._head_end
        return True

    def _find_last_chunk(self) -> bool:
        """Go on from chunk to chunk; set `_body_end` after the last one, or where something is wrong."""
        if len(self.data) - self._head_end > _FRAMING_FACTOR * self._max_body:
            self.fault = Fault.BODY_TOO_LARGE
        while self._chunk_start < len(self.data) and not self.fault:
            line_end = self.data.find(b"\r\n", self._chunk_start, self._chunk_start + _MAX_CHUNK_LINE)
            if line_end < 0:
                if len(self.data) - self._chunk_start < _MAX_CHUNK_LINE:
                    return False
                self._body_end = len(self.data)
                return True
            try:
                size = int(self.data[self._chunk_start : line_end].split(b";")[0], 16)
            except ValueError:
                size = -1
            if size <= 0:
                return self._find_trailers(line_end, is_last=size == 0)
            self._decoded += size
            if self._decoded > self._max_body:
                self.fault = Fault.BODY_TOO_LARGE
            self._chunk_start = line_end + 2 + size + 2
        return False

    def _find_trailers(self, line_end: int, *, is_last: bool) -> bool:
        found = self.data.find(b"\r\n\r\n", line_end)
        if is_last and found < 0:
            if len(self.data) - line_end > MAX_HEAD_BYTES:
                self.fault = Fault.HEAD_TOO_LARGE
            return False
        self._body_end = found + 4 if is_last else len(self.data)
        return True


class State(Enum):
    """What a connection is doing. In each state but `WORKING` it waits for its client."""

    RECEIVING = auto()
    WORKING = auto()
    SENDING = auto()
    LINGERING = auto()


class Connection:
    """A client's socket, which never blocks, with what arrived and what is to be sent.

    gunicorn's `Response` writes to it as if it were the socket.
    """

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.client = client
        self.server = server
        self.state = State.WORKING
        self.deadline = 0.0
        self.request: IncomingRequest
        self.is_kept = False  # whether another request may follow the answer
        self.rest = b""  # what the client sent after the request that is worked on
        self._answer = bytearray()

    def receive(self) -> bytes | None:
        """Return what has arrived; nothing at the end of what the client sends, `None` if there is nothing yet."""
        try:
            return self.sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def sendall(self, data: bytes) -> None:
        """Add to the answer; `flush` sends it."""
        self._answer += data

    def flush(self) -> bool:
        """Send what the client takes now, and return whether that was all. Raises `OSError` if the client has gone."""
        while self._answer:
            try:
                sent = self.sock.send(self._answer)
            except BlockingIOError:
                return False
            del self._answer[:sent]
        return True

    def is_client_gone(self) -> bool:
        """Return whether the client has closed its side, so that nobody waits for the answer."""
        poller = select.poll()
        poller.register(self.sock, select.POLLRDHUP)
        return bool(poller.poll(0))
