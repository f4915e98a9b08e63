"""Raw HTTP, for what no client library would send."""

import contextlib
import socket


class RawConnection:
    """A socket to a server; leaving the context closes it."""

    def __init__(self, port: int, *, receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send; a server that has closed already is no error, since its answer may wait to be read."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def read_to_end(self) -> bytes:
        """Return all that comes until the server closes."""
        said = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                said += piece
        return bytes(said)


def ask(port: int, data: bytes) -> bytes:
    """Send bytes on a connection of their own, and return all that comes until the server closes."""
    with RawConnection(port) as connection:
        connection.send(data)
        return connection.read_to_end()
