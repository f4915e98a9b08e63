"""Requests to the world: timeouts, a limit on what is taken, and none to a private address unless the settings allow it.

An address that an operator types, or that a server redirects to, must not become a way into the machine's own network.
"""

import ipaddress
import socket

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
    """What was asked for cannot be fetched; the message says why in one line."""


class _PublicOnly:
    """Connects to the address that was checked, so that a name cannot resolve to another one in between."""

    def _new_conn(self):
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise OutboundError(f"{self._dns_host} cannot be found: {error.strerror or error}") from error
        addresses = [entry[4][0] for entry in found]
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


class _PublicHTTPConnection(_PublicOnly, HTTPConnection):
    pass


class _PublicHTTPSConnection(_PublicOnly, HTTPSConnection):
    pass


class _PublicHTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        self.poolmanager = PoolManager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPConnectionPool, "https": _PublicHTTPSConnectionPool}

    def send(self, request, stream=False, timeout=None, **kwargs):
        response = super().send(request, stream=True, timeout=timeout or TIMEOUT, **kwargs)
        taken = bytearray()
        for piece in response.iter_content(65536):
            taken += piece
            if len(taken) > MAX_BYTES:
                response.close()
                raise OutboundError(f"{request.url} sends more than {MAX_BYTES // 2**20} MiB.")
        response._content = bytes(taken)  # requests has no other way to give a body that was read
        return response


def open_session() -> requests.Session:
    """Return a session for requests to the world; it ignores the environment's proxies and .netrc."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = _MAX_REDIRECTS
    made.headers["User-Agent"] = "hate-speech-detector"
    adapter = _PublicAdapter(max_retries=Retry(0))
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made
