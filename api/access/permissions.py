"""Who may do what."""

from functools import cache

from django.conf import settings
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission


@cache
def needs(scope: str) -> type[BasePermission]:
    """Return the permission that lets in whoever shows a key with `scope`, and everybody under open access."""

    class NeedsScope(BasePermission):
        message = f"This needs an API key with scope {scope}."
        code = "scope_missing"

        def has_permission(self, request, view):
            if settings.OPEN_ACCESS:
                return True
            if request.auth is None:
                raise NotAuthenticated("This needs an API key: send it as `Authorization: Bearer KEY`.", "api_key_missing")
            return scope in request.auth.scopes

    return NeedsScope
