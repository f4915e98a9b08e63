"""Rows and constraints only: writes are in services.py, reads in selectors.py."""

from django.db import models
from django.db.models import Q


class Tweet(models.Model):
    """A text, stored as it was first posted; texts of one fingerprint are one tweet."""

    fingerprint = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"tweet {self.fingerprint[:8]}"


class Label(models.Model):
    """What somebody said of a tweet. Append-only: rows are never deleted, and only `is_current` ever changes."""

    # A person's decision; every other source is an import and named after what was imported.
    REVIEW = "review"
    STARTER = "starter"

    tweet = models.ForeignKey(Tweet, on_delete=models.PROTECT, related_name="labels")
    is_hate_speech = models.BooleanField()
    source = models.CharField(max_length=200)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tweet"], condition=Q(is_current=True), name="one_current_label_per_tweet"),
        ]

    def __str__(self):
        return f"{'hateful' if self.is_hate_speech else 'not hateful'}, by {self.source}"


class TrainingRun(models.Model):
    """One training, from its request to its outcome.

    While it is unfinished it holds a lease: whoever is to run it, or runs it, renews it. A lease that ends means that the
    message was lost or the worker is dead, and the run is queued again.
    """

    class Stage(models.TextChoices):
        QUEUED = "queued"
        READING = "reading"
        FITTING = "fitting"
        EVALUATING = "evaluating"
        SAVING = "saving"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=20, choices=Stage.choices, default=Stage.QUEUED)
    rows_read = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=32, default="")
    lease_until = models.DateTimeField()
    is_finished = models.BooleanField(default=False)
    version = models.CharField(max_length=100, default="")
    error = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_finished"], condition=Q(is_finished=False), name="one_unfinished_run"),
        ]

    def __str__(self):
        return f"training run {self.pk}: {self.stage}"
