"""Scopes, and the permissions that require them."""

from functools import cache

from django.conf import settings
from django.db.models import TextChoices
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .callers import get_caller
from .throttling import count_failure


class Scope(TextChoices):
    """What a key may do. Every view names one scope; a test checks that."""

    PREDICT = "predict"
    REVIEW = "review"
    ADMIN = "admin"


def has_scope(request: Request, scope: Scope) -> bool:
    """Return whether a request has a key of this scope; under open access every request may do everything."""
    caller = get_caller(request)
    return settings.OPEN_ACCESS or (caller is not None and scope in caller.scopes)


class ScopePermission(BasePermission):
    """Allows requests with a key of this scope; under open access, all requests."""

    scope: Scope
    code = "scope_missing"

    @property
    def message(self) -> str:
        return f"This needs an API key with scope {self.scope}."

    def has_permission(self, request: Request, view: object) -> bool:
        if has_scope(request, self.scope):
            return True
        caller = get_caller(request)
        count_failure(request, caller)
        if caller is None:
            raise NotAuthenticated("This needs an API key: send it as `Authorization: Bearer KEY`.", "api_key_missing")
        return False


@cache
def require_scope(scope: Scope) -> type[ScopePermission]:
    """Return the permission for a view whose callers need `scope`.

    Raises
    ------
    ValueError
        There is no such scope. It is raised where the view is defined, so a misspelt scope fails at start.
    """
    return type("RequiredScope", (ScopePermission,), {"scope": Scope(scope)})
