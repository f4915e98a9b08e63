"""Posts that wait for a decision: rows and constraints only."""

from django.db import models

from ..labels.models import Tweet


class Post(models.Model):
    """A text from a feed that waits for a person's decision. The decision deletes the row; the tweet stays."""

    # The place of a post that has none: after all that have one.
    LAST = 2**31 - 1

    tweet = models.OneToOneField(Tweet, on_delete=models.CASCADE)
    feed = models.CharField(max_length=500, db_index=True)
    link = models.CharField(max_length=1000, default="", blank=True)
    is_hate_speech = models.BooleanField(help_text="What the version said of it.")
    probability = models.FloatField()
    uncertainty = models.FloatField(db_index=True, help_text="1 at the threshold, 0 where the version is sure.")
    place = models.PositiveIntegerField(default=LAST, help_text="Its place in the order of review; posts without one come last.")
    version = models.CharField(max_length=100)
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["place", "-uncertainty", "id"], name="post_review_order")]

    def __str__(self) -> str:
        return f"post {self.pk}"
