"""The admin's login, with a limit on wrong passwords.

An address may fail so often, and so may an account from all addresses. A browser in which the account has logged in before proves
that by a signed cookie and is counted for itself, so nobody can lock an account's owner out. This is OWASP's device cookie:
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import hashlib
import math
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse

from .addresses import find_address
from .throttling import spend

_WINDOW_SECONDS = 15 * 60
# An account's limit is the higher one: one address alone does not reach it.
_FAILURES_OF_ADDRESS, _FAILURES_OF_ACCOUNT = 10, 30
_COOKIE, _COOKIE_SECONDS = "known_device", 365 * 24 * 3600


class LoginForm(AdminAuthenticationForm):
    """Counts a login as failed before the password is looked at, and takes that back if it is right."""

    wait = 0  # seconds until another login may be tried, if this one may not

    def clean(self) -> dict[str, Any]:
        limits = _list_limits(cast("HttpRequest", self.request), self.cleaned_data.get("username", ""))
        for caller, rate in limits:
            passes, _, wait = spend(caller, "logins", 1, rate, _WINDOW_SECONDS)
            if not passes:
                self.wait = math.ceil(wait)
                message = f"Too many failed logins. Try again in {math.ceil(wait / 60)} minutes."
                raise ValidationError(message, "throttled")
        cleaned = super().clean()
        for caller, rate in limits:
            spend(caller, "logins", -1, rate, _WINDOW_SECONDS)
        return cleaned


def _list_limits(request: HttpRequest, account: str) -> list[tuple[str, int]]:
    """Return who is counted for a login, and how often each may fail in a window."""
    digest = hashlib.sha256(account.encode()).hexdigest()
    if request.get_signed_cookie(_COOKIE, default="", salt=__name__, max_age=_COOKIE_SECONDS) == account:
        return [(f"device:{digest}", _FAILURES_OF_ADDRESS)]
    # The address first: when it has failed too often, it does not count against the account any more.
    return [(f"address:{find_address(request)}", _FAILURES_OF_ADDRESS), (f"account:{digest}", _FAILURES_OF_ACCOUNT)]


def log_in(request: HttpRequest) -> HttpResponse:
    """Serve the admin's login page; answer 429 if there were too many wrong passwords."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form and form.has_error(NON_FIELD_ERRORS, "throttled"):
        response.status_code = 429
        response["Retry-After"] = str(form.wait)
    elif request.method == "POST" and request.user.is_authenticated:
        response.set_signed_cookie(
            _COOKIE,
            request.user.get_username(),
            salt=__name__,
            max_age=_COOKIE_SECONDS,
            path=request.path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
