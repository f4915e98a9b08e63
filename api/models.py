"""Rows and constraints only: writes are in services.py, reads in selectors.py."""

from django.db import models
from django.db.models import Q

from hate_speech_AI.training import rows as training


class Tweet(models.Model):
    """A text, stored as it was first posted; texts of one fingerprint are one tweet."""

    fingerprint = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"tweet {self.fingerprint[:8]}"


class LabelName(models.TextChoices):
    """What a label is about."""

    HATE = "hate"
    TOXIC = "toxic"  # hate or offensive


class Label(models.Model):
    """What somebody said of a tweet. Append-only: rows are never deleted; `is_current` and `set_aside_at` alone ever change."""

    # A person's decision, alone or followed by how it came; every other source is an import and named after what was imported.
    REVIEW = training.REVIEW
    STARTER = training.STARTER

    tweet = models.ForeignKey(Tweet, on_delete=models.PROTECT, related_name="labels")
    name = models.CharField(max_length=10, choices=LabelName.choices, default=LabelName.HATE)
    value = models.BooleanField(help_text="Whether the tweet is that.")
    source = models.CharField(max_length=200)
    reference = models.CharField(
        max_length=100, default="", blank=True, help_text="Its place in what was imported, or the comment that it was said of."
    )
    key = models.CharField(max_length=64, default="", blank=True, help_text="The API key that brought it, if one did.")
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    set_aside_at = models.DateTimeField(null=True, blank=True, help_text="Since then nothing learns from it.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(set_aside_at__isnull=True), name="a_current_label_is_not_set_aside"
            ),
            models.UniqueConstraint(
                fields=["tweet", "name"], condition=Q(is_current=True), name="one_current_label_of_a_name_per_tweet"
            ),
        ]
        indexes = [
            # What was said of a comment before is looked up whenever something is said of it again.
            models.Index(fields=["reference"], name="label_reference"),
        ]

    def __str__(self):
        return f"{'' if self.value else 'not '}{self.name}, by {self.source}"


class Suggestion(models.Model):
    """A label from a key without trust: it waits for a moderator, and nothing learns from it before that."""

    tweet = models.ForeignKey(Tweet, on_delete=models.PROTECT, related_name="suggestions")
    name = models.CharField(max_length=10, choices=LabelName.choices, default=LabelName.HATE)
    value = models.BooleanField(help_text="Whether the tweet is that.")
    source = models.CharField(max_length=200, default=training.REVIEW)
    reference = models.CharField(max_length=100, default="", blank=True, help_text="The comment that it was said of.")
    key = models.CharField(max_length=64, help_text="The API key that brought it.")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    is_accepted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            # What a key says of a tweet while it waits is one row, the latest: a flood is no longer than its texts.
            models.UniqueConstraint(fields=["tweet", "name", "key"], condition=Q(decided_at=None), name="one_waiting_suggestion"),
        ]

    def __str__(self):
        return f"suggestion {self.pk}"


class ApiKey(models.Model):
    """What a client shows. The key itself is kept nowhere: only its sha256, which 256 random bits make safe."""

    class Scope(models.TextChoices):
        PREDICT = "predict"
        REVIEW = "review"
        ADMIN = "admin"

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
    """Who did what of consequence, and when. Append-only."""

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
        ACTIVATING = "activating"
        FINISHED = "finished"

    class Outcome(models.TextChoices):
        PROMOTED = "promoted"
        REFUSED = "refused"
        HELD_BACK = "held_back", "held back"
        UNCHANGED = "unchanged"
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
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default="")
    version = models.CharField(max_length=100, default="")
    error = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_finished"], condition=Q(is_finished=False), name="one_unfinished_run"),
        ]

    def __str__(self):
        return f"training run {self.pk}: {self.stage}"

    @property
    def percent(self) -> int:
        """How far it is, from 0 to 100; reading, which also counts n-grams, is most of it."""
        done = {"queued": 0, "fitting": 60, "evaluating": 85, "saving": 90, "activating": 99, "finished": 100}
        if self.stage == self.Stage.READING:
            return min(60, 60 * self.rows_read // max(self.rows_total, 1))
        return done[self.stage]


class ModelVersion(models.Model):
    """What happened to a version: the gate's verdict and its figures. Which one is active, the model store alone says."""

    class Outcome(models.TextChoices):
        PROMOTED = "promoted"
        REFUSED = "refused"
        HELD_BACK = "held_back", "held back"  # it passed, and another was pinned or activated meanwhile

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    engine = models.CharField(max_length=50)
    parent = models.CharField(max_length=100, default="")
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    score = models.JSONField()
    gate = models.JSONField()
    most_new_labels = models.JSONField(default=list, help_text="Of a refused version: what brought most labels since its rival.")
    pruned_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return self.name


class Activation(models.Model):
    """One change of the pointer. Append-only."""

    class By(models.TextChoices):
        GATE = "gate"
        HAND = "hand"

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="activations")
    activated_at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=10, choices=By.choices)
    is_pinned = models.BooleanField(default=False)

    def __str__(self):
        return f"{self.version} by {self.by}"


class Post(models.Model):
    """An unlabelled text out of a feed that waits for a person's decision; with the decision the row goes, the tweet stays."""

    tweet = models.OneToOneField(Tweet, on_delete=models.CASCADE)
    feed = models.CharField(max_length=500)
    link = models.CharField(max_length=1000, default="", blank=True)
    is_hate_speech = models.BooleanField(help_text="What the version said of it.")
    probability = models.FloatField()
    uncertainty = models.FloatField(db_index=True, help_text="1 at the threshold, 0 where the version is sure.")
    version = models.CharField(max_length=100)
    found_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"post {self.pk}"
