"""The audit trail: who did what of consequence."""

from .models import AuditEntry

# Who acts where no request and no admin page does.
COMMAND_LINE = "command line"


def record_audit_entry(*, who: str, what: str, subject: str) -> None:
    """Add an entry to the audit trail; in the transaction of what it tells, so that both are there or neither."""
    AuditEntry.objects.create(who=who[:200], what=what, subject=subject[:200])


def describe_caller(request) -> str:
    """Return how the audit trail names the API key that sent a request."""
    return f"key {request.auth.name}" if request.auth else "open access"


def describe_moderator(request) -> str:
    """Return how the audit trail names the account that sent a request from the admin."""
    return f"admin {request.user.get_username()}"
