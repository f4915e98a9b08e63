"""The audit trail: who changed keys, versions and suggestions, and when."""

from django.http import HttpRequest

from .models import AuditEntry

# The actor of everything that neither a request nor the admin does.
COMMAND_LINE = "command line"


def record_audit_entry(*, who: str, what: str, subject: str) -> None:
    """Add an entry to the audit trail. Call it in the transaction of the change, so that both are stored or neither."""
    AuditEntry.objects.create(who=who[:200], what=what, subject=subject[:200])


def describe_moderator(request: HttpRequest) -> str:
    """Return the audit trail's name for the account that sent a request from the admin."""
    return f"admin {request.user.get_username()}"
