"""Keys and the audit trail: rows and constraints only."""

from typing import Any, NoReturn

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

    def __str__(self) -> str:
        return self.name


class KeyUsage(models.Model):
    """What a key has stored on a day. Only its latest day is kept."""

    key = models.CharField(max_length=64)
    day = models.DateField()
    rows = models.PositiveIntegerField(default=0)
    characters = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="one_usage_of_a_key_per_day")]

    def __str__(self) -> str:
        return f"{self.rows} rows of {self.key} on {self.day}"


class AuditEntry(models.Model):
    """One entry of the audit trail: who did what, and when. Append-only."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=200, help_text='"key NAME", "admin NAME", "open access" or "command line".')
    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.who}: {self.what} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("The audit trail is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit trail is append-only.")
