"""The request of /reviewed."""

from rest_framework import serializers

from ..web.fields import RequiredBooleanField, TweetField


class ReviewedTweetInputSerializer(serializers.Serializer[object]):
    """A text, and a person's decision on it."""

    tweet = TweetField()
    is_hate_speech = RequiredBooleanField()
