"""What /reviewed takes."""

from rest_framework import serializers

from ..web.fields import RequiredBooleanField, TweetField


class ReviewedTweetInputSerializer(serializers.Serializer):
    """A text and what a person says of it."""

    tweet = TweetField()
    is_hate_speech = RequiredBooleanField()

    @property
    def is_form(self) -> bool:
        return hasattr(self.initial_data, "getlist")
