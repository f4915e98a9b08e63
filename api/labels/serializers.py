"""The request of /reviewed."""

from typing import Any

from rest_framework import serializers

from hate_speech_AI.labels import IMPLIES_IN_WORDS, MEANINGS, PRIMARY, SECONDARY, is_consistent

from ..web.fields import RequiredBooleanField, TweetField


class OtherLabelsSerializer(serializers.Serializer[object]):
    """What a person says of a text beside whether it is hate: any of these labels."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {label: RequiredBooleanField(required=False, help_text=MEANINGS[label]) for label in SECONDARY}

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if not data.keys() <= self.fields.keys():  # a misspelt label must not get lost
            raise serializers.ValidationError([f"The labels are {', '.join(self.fields)}."])
        return values


class ReviewedTweetInputSerializer(serializers.Serializer[object]):
    """A text, and a person's decision on it."""

    tweet = TweetField()
    is_hate_speech = RequiredBooleanField()
    labels = OtherLabelsSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not is_consistent({PRIMARY: attrs["is_hate_speech"], **attrs.get("labels", {})}):
            raise serializers.ValidationError({"labels": [IMPLIES_IN_WORDS]})
        return attrs
