"""Rate limits: requests a minute for each key or address."""

import logging
import math
import time
import uuid
from collections import deque

from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .callers import get_caller

logger = logging.getLogger(__name__)

_WINDOW = 60
# A sliding window: a sorted set holds the times of the last minute's requests. Remove the expired ones, count the rest, and add
# this request if it passes. One script, so that no other request comes in between. It returns whether the request passes, how
# many are left, and in how many seconds the oldest expires.
_SCRIPT = """
local moment = redis.call("TIME")
local now = moment[1] * 1000000 + moment[2]
local window = tonumber(ARGV[2]) * 1000000
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - window)
local count, rate = redis.call("ZCARD", KEYS[1]), tonumber(ARGV[1])
local passes = count < rate and 1 or 0
if passes == 1 then
  redis.call("ZADD", KEYS[1], now, ARGV[3])
  redis.call("EXPIRE", KEYS[1], ARGV[2])
  count = count + 1
end
local oldest = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")[2] or now
return {passes, rate - count, tostring((oldest + window - now) / 1000000)}
"""
_RETRY_REDIS_SECONDS = 5
_MAX_CALLERS = 10_000


class ProcessCounts:
    """Counts within one process, without Redis: each process allows its share of the rate."""

    def __init__(self) -> None:
        self._moments: dict[str, deque[float]] = {}

    def count_request(self, caller: str, rate: int) -> tuple[bool, int, float]:
        now, share = time.monotonic(), max(1, rate // settings.WEB_CONCURRENCY)
        if len(self._moments) >= _MAX_CALLERS:
            self._moments.clear()
        moments = self._moments.setdefault(caller, deque())
        while moments and moments[0] <= now - _WINDOW:
            moments.popleft()
        passes = len(moments) < share
        if passes:
            moments.append(now)
        return passes, share - len(moments), moments[0] + _WINDOW - now


_process_counts = ProcessCounts()
_redis_is_back_at = 0.0


def count_request(caller: str, rate: int) -> tuple[bool, int, float]:
    """Count a request of `caller` against its rate a minute.

    Returns whether it passes, how many more would pass now, and in how many seconds the oldest request expires.
    """
    global _redis_is_back_at  # noqa: PLW0603
    if settings.REDIS_URL and time.monotonic() >= _redis_is_back_at:
        try:
            key = f"{settings.REDIS_KEY_PREFIX}rate:{caller}"
            passes, left, wait = get_redis_connection().eval(_SCRIPT, 1, key, rate, _WINDOW, uuid.uuid4().hex)
            return bool(passes), int(left), float(wait)
        except RedisError as error:
            logger.warning("Rates are counted by each process for now: Redis: %s", type(error).__name__)
            _redis_is_back_at = time.monotonic() + _RETRY_REDIS_SECONDS
    return _process_counts.count_request(caller, rate)


def find_address(request: Request) -> str:
    """Return the client's address: REMOTE_ADDR, or the address that the outermost of our own proxies saw."""
    forwarded: list[str] = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and len(forwarded) >= settings.PROXIES:
        return forwarded[-settings.PROXIES]
    address: str = request.META.get("REMOTE_ADDR", "")
    return address


class RateThrottle(BaseThrottle):
    """Limits the requests a minute of each key, or of each address without a key. The middleware adds the X-RateLimit headers."""

    def allow_request(self, request: Request, view: object) -> bool:
        caller = get_caller(request)
        rate = caller.rate if caller and caller.rate else settings.RATE_LIMIT
        if not rate:
            return True
        passes, left, self._wait = count_request(f"key:{caller.name}" if caller else f"address:{find_address(request)}", rate)
        request.META["api.rate"] = rate, left, math.ceil(self._wait)
        return passes

    def wait(self) -> float:
        return max(1, math.ceil(self._wait))
