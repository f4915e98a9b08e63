"""The address of a client, as rates count it."""

import re
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

# What proxies write: an address, of IPv6 in brackets or not and perhaps with a zone, and perhaps a port.
_FORWARDED = re.compile(r"\[(?P<bracketed>[^\]]*)\](:\d*)?|(?P<v4>[\d.]+):\d*|(?P<bare>.*)", re.ASCII | re.DOTALL)


def find_address(request: Request | HttpRequest) -> str:
    """Return the client's address, without a port; of IPv6 its network of 64 bits, all of which one client may use.

    It is the address that connected, or the one that the outermost of our own proxies saw, if that proxy wrote one.
    """
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and len(forwarded) >= settings.PROXIES and (address := _read_address(forwarded[-settings.PROXIES])):
        return address
    connected: str = request.META.get("REMOTE_ADDR", "")
    return _read_address(connected) or connected


def _read_address(text: str) -> str | None:
    """Return the address or network in what a server or a proxy wrote; `None` if there is none."""
    found = _FORWARDED.fullmatch(text.strip('"'))
    try:
        address = ip_address((found["bracketed"] or found["v4"] or found["bare"] or "") if found else "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
