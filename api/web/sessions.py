"""Sessions, accounts and messages, for the paths that need them."""

from collections.abc import Awaitable, Callable

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .middleware import GetResponse

Answer = HttpResponseBase | Awaitable[HttpResponseBase]  # Django's middlewares serve asynchronous views too


def add_sessions(get_response: GetResponse) -> Callable[[HttpRequest], Answer]:
    """Return the middleware that gives requests below `SESSION_PATHS` a session, an account and messages.

    Other requests skip them: Django's three middlewares together would cost /predict a twentieth of its time.
    """
    with_sessions = SessionMiddleware(AuthenticationMiddleware(MessageMiddleware(get_response)))

    def middleware(request: HttpRequest) -> Answer:
        has_session = request.path_info.startswith(settings.SESSION_PATHS)
        return with_sessions(request) if has_session else get_response(request)

    return middleware
