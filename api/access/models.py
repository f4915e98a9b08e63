"""Keys and the audit trail: rows and constraints only."""

from django.db import models


class ApiKey(models.Model):
    """A client's key. Only its sha256 is stored, which is safe for 256 random bits."""

    name = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    is_trusted = models.BooleanField(default=False, help_text="Its labels count at once; others wait for a moderator.")
    rate = models.PositiveIntegerField(null=True, blank=True, help_text="Requests a minute; RATE_LIMIT where it is empty.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")

    def __str__(self):
        return self.name


class AuditEntry(models.Model):
    """One entry of the audit trail: who did what, and when. Append-only."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=200, help_text='"key NAME", "admin NAME", "open access" or "command line".')
    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self):
        return f"{self.who}: {self.what} {self.subject}"

    def save(self, *args, **kwargs):
        if self.pk is not None:
            raise TypeError("The audit trail is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("The audit trail is append-only.")
