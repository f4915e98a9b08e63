"""Who may do what."""

from functools import cache

from django.conf import settings
from django.db.models import TextChoices
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission


class Scope(TextChoices):
    """What a key may do. Every view names one; a test holds it."""

    PREDICT = "predict"
    REVIEW = "review"
    ADMIN = "admin"


class ScopePermission(BasePermission):
    """Lets in who shows a key with `scope`; under open access, everybody."""

    scope: Scope
    code = "scope_missing"

    @property
    def message(self) -> str:
        return f"This needs an API key with scope {self.scope}."

    def has_permission(self, request, view):
        if settings.OPEN_ACCESS:
            return True
        if request.auth is None:
            raise NotAuthenticated("This needs an API key: send it as `Authorization: Bearer KEY`.", "api_key_missing")
        return self.scope in request.auth.scopes


@cache
def require_scope(scope: Scope) -> type[ScopePermission]:
    """Return the permission for a view whose callers need `scope`.

    Raises
    ------
    ValueError
        There is no such scope. It is raised where the view is defined, so a misspelt scope stops the start.
    """
    return type("RequiredScope", (ScopePermission,), {"scope": Scope(scope)})
