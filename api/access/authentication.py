"""How a request is authenticated: by an API key."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .callers import Caller, find_caller


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
        caller = find_caller(key) if key else None
        if caller is None:
            if key and not settings.OPEN_ACCESS:
                raise AuthenticationFailed("This API key is not valid.", "invalid_api_key")
            return None
        return None, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):
    """Describes the API key to the OpenAPI schema."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key. Under open access none is needed."}
