"""Posts that wait for a decision: rows and constraints only."""

from django.db import models

from ..labels.models import Tweet


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
