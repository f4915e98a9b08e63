"""Requests to the outside: with a timeout, a size limit, and no private addresses unless the settings allow them.

A URL that an operator types, or a redirect, must not lead into the machine's own network.
"""

import ipaddress
import socket
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

TIMEOUT = 20  # seconds
MAX_BYTES = 10 * 1024 * 1024
_MAX_REDIRECTS = 5


class OutboundError(Exception):
    """A URL cannot be fetched; the message says why in one line."""


class _PublicHTTPConnection(HTTPConnection):
    """Connects to the very address that was checked: a second look-up of the name could give another one."""

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise OutboundError(f"{self._dns_host} cannot be found: {error.strerror or error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not settings.FEEDS_FROM_PRIVATE_ADDRESSES:
            for address in addresses:
                if not ipaddress.ip_address(address.split("%")[0]).is_global:
                    raise OutboundError(
                        f"{self._dns_host} is at a private address ({address}). FEEDS_FROM_PRIVATE_ADDRESSES=true allows that."
                    )
        try:
            return create_connection((addresses[0], self.port), self.timeout)
        except OSError as error:
            raise OutboundError(f"{self._dns_host} cannot be reached: {error}") from error


class _PublicHTTPSConnection(_PublicHTTPConnection, HTTPSConnection):
    pass


class _PublicHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPConnectionPool, "https": _PublicHTTPSConnectionPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"stream": True, "timeout": kwargs.get("timeout") or TIMEOUT}
        response = super().send(request, *args, **kwargs)
        taken = bytearray()
        for piece in response.iter_content(65536):
            taken += piece
            if len(taken) > MAX_BYTES:
                response.close()
                raise OutboundError(f"{request.url} sends more than {MAX_BYTES // 2**20} MiB.")
        response._content = bytes(taken)  # requests offers no public way to set a body
        return response


def open_session() -> requests.Session:
    """Return a session for outbound requests; it ignores the environment's proxies and .netrc."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = _MAX_REDIRECTS
    made.headers["User-Agent"] = "hate-speech-detector"
    adapter = _PublicAdapter(max_retries=Retry(0))
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made
