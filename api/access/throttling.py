"""Rates: how much a caller may spend in a sliding window. Redis counts for all processes, if there is one."""

import logging
import math
import threading
import time

from django.conf import settings
from django_redis import get_redis_connection
from limits.storage import MemoryStorage, RedisStorage
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .addresses import find_address
from .callers import Caller, get_caller

logger = logging.getLogger(__name__)

MINUTE = 60
_RETRY_REDIS_SECONDS = 5
_MAX_COUNTS = 10_000
# What was spent in the last window and in how many seconds that no longer counts, and the same of this window. A window's count
# fades out in the course of the next one, so it lasts for two.
Windows = tuple[int, float, int, float]


def spend(caller: str, unit: str, amount: int, rate: int, seconds: int = MINUTE) -> tuple[bool, int, float]:
    """Spend `amount` of what a caller may spend in a window; nothing is spent if it does not pass.

    Without Redis, or while it is away, each process allows its share of the rate.

    Parameters
    ----------
    caller : str
        Who spends, such as "key:forum" or "address:203.0.113.7".
    unit : str
        What is spent, such as "requests". Each unit is counted for itself.
    amount : int
        How much. An amount over the rate counts as the whole rate; a negative amount is given back.
    rate : int
        How much passes in a window.
    seconds : int
        The length of the window.

    Returns
    -------
    passes : bool
    left : int
        How much more would pass now.
    wait : float
        The seconds until as much would pass; if it would now, the seconds until this window ends.
    """
    name = f"{caller}:{unit}"
    if settings.REDIS_URL and time.monotonic() >= _redis_is_back_at:
        try:
            return _spend_in_redis(name, min(amount, rate), rate, seconds)
        except Exception as error:  # no answer of Redis, or of what else listens there, may cost a request
            _note_redis_is_away(error)
    share = max(1, rate // settings.WEB_CONCURRENCY)
    return _spend_here(name, min(amount, share), share, seconds)


_redis_is_back_at = 0.0  # 0 while Redis answers


def _note_redis_is_away(error: Exception) -> None:
    global _redis_is_back_at  # noqa: PLW0603
    if not _redis_is_back_at:
        logger.warning("Rates are counted by each process for now: Redis: %s", type(error).__name__)
    _redis_is_back_at = time.monotonic() + _RETRY_REDIS_SECONDS


def _spend_in_redis(name: str, amount: int, rate: int, seconds: int) -> tuple[bool, int, float]:
    global _redis_is_back_at  # noqa: PLW0603
    # The scripts of `limits`, both in one round trip; its own methods would take two.
    last, this = f"{settings.REDIS_KEY_PREFIX}rate:{name}/-1", f"{settings.REDIS_KEY_PREFIX}rate:{name}"
    with get_redis_connection().pipeline(transaction=False) as pipe:
        pipe.eval(RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW, 2, last, this, rate, seconds, amount)
        pipe.eval(RedisStorage.SCRIPT_SLIDING_WINDOW, 2, last, this, seconds)
        passes, windows = pipe.execute()
    counts = [max(0, int(figure or 0)) for figure in windows]
    left, wait = _read_windows((counts[0], counts[1] / 1000, counts[2], counts[3] / 1000), amount, rate, seconds)
    _redis_is_back_at = 0.0
    return bool(passes), left, wait


_memory = MemoryStorage()
# In memory `limits` takes several steps, between which another thread may come.
_lock = threading.Lock()


def _spend_here(name: str, amount: int, rate: int, seconds: int) -> tuple[bool, int, float]:
    with _lock:
        if len(_memory.storage) >= _MAX_COUNTS:
            _memory.reset()
        passes, windows = (
            _memory.acquire_sliding_window_entry(name, rate, seconds, amount),
            _memory.get_sliding_window(name, seconds),
        )
    return passes, *_read_windows(windows, amount, rate, seconds)


def _read_windows(windows: Windows, amount: int, rate: int, seconds: int) -> tuple[int, float]:
    """Return what `spend` tells of the windows: how much is left, and the wait."""
    last, last_ends, this, this_fades = windows
    this_ends = max(0.0, this_fades - seconds)
    left = max(0, rate - this - math.floor(last * last_ends / seconds))
    if amount <= left:
        return left, this_ends
    if this + amount <= rate:  # once enough of the last window has faded
        return left, last_ends - (rate - this - amount + 1) * seconds / last
    return left, this_ends + seconds - (rate - amount + 1) * seconds / this


class RateThrottle(BaseThrottle):
    """Limits the requests a minute of each key, or of each address without a key. The middleware adds the X-RateLimit headers."""

    def allow_request(self, request: Request, view: object) -> bool:
        passes, self._wait = count_request(request, get_caller(request))
        return passes

    def wait(self) -> float:
        return self._wait


def count_request(request: Request, caller: Caller | None) -> tuple[bool, int]:
    """Count a request of a key, or of an address if there is none.

    Returns
    -------
    passes : bool
    wait : int
        In how many seconds another passes.
    """
    rate = (caller and caller.rate) or settings.RATE_LIMIT
    if not rate:
        return True, 0
    passes, left, wait = spend(_name_payer(request, caller), "requests", 1, rate)
    request.META["api.rate"] = rate, left, math.ceil(wait)
    return passes, max(1, math.ceil(wait))


def count_failure(request: Request, caller: Caller | None = None) -> None:
    """Count a request that fails for want of a valid key or of a scope. DRF's throttles count only what is permitted.

    Raises
    ------
    Throttled
        The key or the address sent too many requests.
    """
    passes, wait = count_request(request, caller)
    if not passes:
        raise Throttled(wait)


def pay_for_tokens(request: Request, caller: Caller | None, tokens: int) -> None:
    """Count the tokens of a request against the rate of its key, or of its address if there is none.

    Raises
    ------
    Throttled
        The key or the address sent too many tokens.
    """
    if settings.TOKEN_RATE_LIMIT:
        passes, _, wait = spend(_name_payer(request, caller), "tokens", tokens, settings.TOKEN_RATE_LIMIT)
        if not passes:
            raise Throttled(wait)


def give_back_failure(request: Request) -> None:
    """Take back what `count_failure` counted against an address: its key is valid, and is counted for itself."""
    if settings.RATE_LIMIT:
        spend(_name_payer(request, None), "requests", -1, settings.RATE_LIMIT)


def _name_payer(request: Request, caller: Caller | None) -> str:
    return f"key:{caller.name}" if caller else f"address:{find_address(request)}"
