"""Versions, their activations, and trainings: rows and constraints only."""

from django.db import models
from django.db.models import Q


class TrainingRun(models.Model):
    """One training or withdrawal, from its request to its outcome.

    An unfinished run has a lease, which its worker renews. If the lease expires, the message was lost or the worker is dead, and
    the run is queued again.
    """

    class Kind(models.TextChoices):
        TRAINING = "training"
        WITHDRAWAL = "withdrawal"  # it takes reviews out of the active version that were withdrawn

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

    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.TRAINING)
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
            # A withdrawal does not wait for a training.
            models.UniqueConstraint(fields=["kind"], condition=Q(is_finished=False), name="one_unfinished_run_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}: {self.stage}"

    @property
    def percent(self) -> int:
        """The progress, from 0 to 100. Reading also counts n-grams, so it takes most of the time."""
        done = {"queued": 0, "fitting": 60, "evaluating": 85, "saving": 90, "activating": 99, "finished": 100}
        if self.stage == self.Stage.READING:
            return min(60, 60 * self.rows_read // max(self.rows_total, 1))
        return done[self.stage]


class ModelVersion(models.Model):
    """A version's outcome, its figures and the gate's verdict. Only the model store knows which version is active."""

    class Outcome(models.TextChoices):
        PROMOTED = "promoted"
        REFUSED = "refused"
        HELD_BACK = "held_back", "held back"  # it passed, but another was pinned or activated meanwhile

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    engine = models.CharField(max_length=50)
    parent = models.CharField(max_length=100, default="")
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    score = models.JSONField()
    gate = models.JSONField()
    most_new_labels = models.JSONField(default=list, help_text="Of a refused version: what brought most labels since its rival.")
    set_aside = models.JSONField(default=list, help_text="The labels that its training set aside, by source, key and night.")
    withdrawn = models.JSONField(default=list, help_text="The reviews that were taken out of its parent, if it came of that.")
    pruned_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """The model store of an engine that this database belongs to: its folder holds the same identity."""

    engine = models.CharField(max_length=50, unique=True)
    identity = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"{self.engine}: {self.identity}"


class Activation(models.Model):
    """One activation of a version. Append-only."""

    class By(models.TextChoices):
        GATE = "gate"
        HAND = "hand"

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="activations")
    activated_at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=10, choices=By.choices)
    is_pinned = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.version} by {self.by}"
