"""Requests to the outside: with a deadline, a size limit, and no private addresses unless the settings allow them.

A URL that an operator types, or a redirect, must not lead into the machine's own network.
"""

import contextlib
import ipaddress
import os
import socket
import threading
import time
from functools import partial
from typing import Any, Self

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

TIMEOUT = 20  # seconds without a byte
MAX_BYTES = 10 * 1024 * 1024
_MAX_REDIRECTS = 5

# Networks whose addresses stand for an IPv4 address, which they carry as their last 32 bits: NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Networks that no public web server is in. Python's own tables know them in its latest releases only.
_NEVER_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b:1::/48",
        "::/96",
        "100::/64",
        "2001::/23",
        "fec0::/10",
        "5f00::/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
]


class OutboundError(Exception):
    """A URL cannot be fetched; the message says why in one line."""


class Deadline:
    """Cuts all connections of a session at one moment. A timeout alone starts anew with every byte.

    It is a context manager, which begins the time.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._lines: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        for line in self._lines:
            line.close()

    def left(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def check(self, url: str) -> None:
        """Raise `OutboundError` if the moment has passed."""
        if not self.left():
            raise OutboundError(f"{url} takes longer than {self.seconds:,.0f} seconds.")

    def watch(self, connected: socket.socket) -> None:
        """Cut this connection too."""
        # A copy of the descriptor: TLS takes the socket over, and a body may outlive its connection object.
        self._lines.append(socket.socket(fileno=os.dup(connected.fileno())))

    def _cut(self) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):  # the other side has ended it
                line.shutdown(socket.SHUT_RDWR)


def is_public(address: str) -> bool:
    """Return whether an IP address can be a public server's. One that carries another address is judged by that one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NEVER_PUBLIC)


class _PublicHTTPConnection(HTTPConnection):
    """Connects to the very address that was checked: a second look-up of the name could give another one."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise OutboundError(f"{self._dns_host} cannot be found: {error.strerror or error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not settings.FEEDS_FROM_PRIVATE_ADDRESSES:
            for address in addresses:
                if not is_public(address):
                    raise OutboundError(
                        f"{self._dns_host} is at a private address ({address}). FEEDS_FROM_PRIVATE_ADDRESSES=true allows that."
                    )
        try:
            made = create_connection((addresses[0], self.port), self.timeout)
        except OSError as error:
            raise OutboundError(f"{self._dns_host} cannot be reached: {error}") from error
        self._deadline.watch(made)
        return made


class _PublicHTTPSConnection(_PublicHTTPConnection, HTTPSConnection):
    pass


class _PublicHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(HTTPAdapter):
    def __init__(self, deadline: Deadline):
        self._deadline = deadline
        super().__init__(max_retries=Retry(0))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(*args, **kwargs)
        # What a pool does not know it hands on to its connections.
        pools: dict[str, Any] = {
            "http": partial(_PublicHTTPConnectionPool, deadline=self._deadline),
            "https": partial(_PublicHTTPSConnectionPool, deadline=self._deadline),
        }
        self.poolmanager.pool_classes_by_scheme = pools

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"stream": True, "timeout": kwargs.get("timeout") or TIMEOUT}
        self._deadline.check(str(request.url))
        try:
            response = super().send(request, *args, **kwargs)
            taken = bytearray()
            for piece in response.iter_content(65536):
                taken += piece
                if len(taken) > MAX_BYTES:
                    response.close()
                    raise OutboundError(f"{request.url} sends more than {MAX_BYTES // 2**20} MiB.")
        except requests.RequestException:
            self._deadline.check(str(request.url))  # what ended it
            raise
        # A body whose length nobody said ends without an error where the connection is cut.
        self._deadline.check(str(request.url))
        response._content = bytes(taken)  # requests offers no public way to set a body
        return response


def open_session(deadline: Deadline) -> requests.Session:
    """Return a session whose requests have all ended by `deadline`. It ignores the environment's proxies and .netrc."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = _MAX_REDIRECTS
    made.headers["User-Agent"] = "hate-speech-detector"
    adapter = _PublicAdapter(deadline)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made
