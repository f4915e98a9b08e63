"""How a request shows its key."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .callers import find_caller


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Caller`, or to `None`. Under open access a missing or unknown key changes nothing."""

    def read_key(self, request) -> str:
        """Return the key in a request's headers, or an empty string."""
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        kind, _, bearer = authorization.partition(" ")
        if kind.lower() == "bearer" and bearer.strip():
            return bearer.strip()
        for header in ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY"):
            if request.META.get(header):
                return request.META[header].strip()
        return ""

    def authenticate(self, request):
        key = self.read_key(request)
        caller = find_caller(key) if key else None
        if caller is None:
            if key and not settings.OPEN_ACCESS:
                raise AuthenticationFailed("This API key is not valid.", "invalid_api_key")
            return None
        return None, caller

    def authenticate_header(self, request):
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):
    """Tells the schema how a key is shown."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "An API key; under open access none is needed."}


def describe_origin(request) -> dict:
    """Return what a service records of who brings a label: the key's name, and whether its labels count at once."""
    return {"key": request.auth.name, "is_trusted": request.auth.is_trusted} if request.auth else {}
