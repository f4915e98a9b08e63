"""How a request is authenticated: by an API key."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .callers import Caller, find_caller, is_known
from .throttling import count_failure, give_back_failure


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Caller`, or to `None`. Under open access a missing or unknown key changes nothing."""

    def read_key(self, request: Request) -> str:
        """Return the key in a request's headers, or an empty string."""
        authorization: str = request.META.get("HTTP_AUTHORIZATION", "")
        kind, _, bearer = authorization.partition(" ")
        if kind.lower() == "bearer" and bearer.strip():
            return bearer.strip()
        shown: str = request.META.get("HTTP_X_API_KEY") or request.META.get("HTTP_X_GOOG_API_KEY", "")
        return shown.strip()

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        key = self.read_key(request)
        if not key:
            return None
        caller = find_caller(key) if settings.OPEN_ACCESS or is_known(key) else self._try_key(request, key)
        if caller is None:
            if settings.OPEN_ACCESS:
                return None
            raise AuthenticationFailed("This API key is not valid.", "invalid_api_key")
        return None, caller

    def _try_key(self, request: Request, key: str) -> Caller | None:
        """Look up a key that this process has not met yet.

        It counts as a failure before the look-up, or many wrong keys at once would all be looked up. A known key does not come
        here: so it works beside another client of its network whose keys are wrong.
        """
        count_failure(request)
        caller = find_caller(key)
        if caller:
            give_back_failure(request)
        return caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):
    """Describes the API key to the OpenAPI schema."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key. Under open access none is needed."}
