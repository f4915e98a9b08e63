"""Tweets, labels and suggestions: rows and constraints only."""

from django.db import models
from django.db.models import Q

from hate_speech_AI import labels
from hate_speech_AI.training import rows as training

# The admin shows them. A new name needs a migration.
_LABEL_CHOICES = [(name, name.capitalize()) for name in labels.MEANINGS]


class Tweet(models.Model):
    """A text, stored as it was first labelled. Texts with the same fingerprint are one tweet."""

    fingerprint = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    side = models.CharField(
        max_length=10, default="", editable=False, help_text="Whether trainings learn from it; chosen by the first that reads it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(side=""), name="tweet_without_side")]

    def __str__(self) -> str:
        return f"tweet {self.fingerprint[:8]}"


class Installation(models.Model):
    """The one row of what belongs to this installation alone, and goes with a backup of its database."""

    split_secret = models.BinaryField(help_text="With it new tweets get their side, so that nobody outside can choose it.")

    def __str__(self) -> str:
        return "this installation"


class Label(models.Model):
    """A label of a tweet. Append-only: rows are never deleted. Only `is_current`, `set_aside_at` and `superseded_at` change."""

    # The source of a review is this word, alone or with a dialect after a colon. Every other source names an import.
    REVIEW = training.REVIEW
    STARTER = training.STARTER

    tweet = models.ForeignKey(Tweet, on_delete=models.PROTECT, related_name="labels")
    name = models.CharField(max_length=10, choices=_LABEL_CHOICES, default=labels.PRIMARY)
    value = models.BooleanField(help_text="Whether the tweet is that.")
    source = models.CharField(max_length=200)
    reference = models.CharField(
        max_length=100, default="", blank=True, help_text="Its place in what was imported, or the comment that it was said of."
    )
    key = models.CharField(max_length=64, default="", blank=True, help_text="The API key that brought it, if one did.")
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    set_aside_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then nothing learns from it: an operator took it out and can bring it back."
    )
    set_aside_by = models.CharField(
        max_length=100,
        default="",
        blank=True,
        help_text="The version whose training set it aside. It stays if the label is restored; then no training does that again.",
    )
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then nothing learns from it: who said it of a comment said something else."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(set_aside_at__isnull=True), name="a_current_label_is_not_set_aside"
            ),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(superseded_at__isnull=True), name="a_current_label_is_not_superseded"
            ),
            models.UniqueConstraint(
                fields=["tweet", "name"], condition=Q(is_current=True), name="one_current_label_of_a_name_per_tweet"
            ),
        ]
        indexes = [
            # A new decision on a comment supersedes the older ones, which are looked up by its reference.
            models.Index(fields=["reference"], name="label_reference"),
            # The admin lists sources and keys, and an operator chooses labels by them and by time.
            models.Index(fields=["source", "created_at"], name="label_source_created_at"),
            models.Index(fields=["key", "created_at"], name="label_key_created_at"),
        ]

    def __str__(self) -> str:
        return f"{'' if self.value else 'not '}{self.name}, by {self.source}"


class Suggestion(models.Model):
    """A label from an untrusted key. It waits for a moderator; until then no training uses it.

    It is never changed while it waits: another suggestion takes its place. So a moderator accepts what the page showed.
    """

    tweet = models.ForeignKey(Tweet, on_delete=models.PROTECT, related_name="suggestions")
    name = models.CharField(max_length=10, choices=_LABEL_CHOICES, default=labels.PRIMARY)
    value = models.BooleanField(help_text="Whether the tweet is that.")
    source = models.CharField(max_length=200, default=training.REVIEW)
    reference = models.CharField(max_length=100, default="", blank=True, help_text="The comment that it was said of.")
    key = models.CharField(max_length=64, help_text="The API key that brought it.")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    is_accepted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            # While it waits, a key has one suggestion for each tweet, the latest: repeating it does not fill the list.
            models.UniqueConstraint(fields=["tweet", "name", "key"], condition=Q(decided_at=None), name="one_waiting_suggestion"),
        ]
        indexes = [
            # A new decision on a comment takes back what waits of the older ones.
            models.Index(fields=["reference"], condition=Q(decided_at=None), name="waiting_reference"),
            # The admin lists sources and keys of what waits.
            models.Index(fields=["source"], condition=Q(decided_at=None), name="waiting_source"),
            models.Index(fields=["key"], condition=Q(decided_at=None), name="waiting_key"),
        ]

    def __str__(self) -> str:
        return f"suggestion {self.pk}"
