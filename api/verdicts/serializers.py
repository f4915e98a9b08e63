"""The request and the answers of /predict."""

from typing import Any

from rest_framework import serializers

from hate_speech_AI.labels import MEANINGS, PRIMARY, TARGETS

from ..web.fields import MAX_CHARACTERS_TOGETHER, MAX_TWEETS, CountedListField, StrictBooleanField, TweetField


class TweetInputSerializer(serializers.Serializer[object]):
    """One text as `tweet`, or several as `tweets`."""

    tweet = TweetField(required=False)
    tweets = CountedListField(child=TweetField(), required=False, allow_empty=False, max_length=MAX_TWEETS)
    explain = StrictBooleanField(
        required=False, default=False, help_text="Whether to explain the verdict word by word. Only the encoder can do that."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("tweet" in attrs) == ("tweets" in attrs):
            raise serializers.ValidationError({"tweet": ["Send either `tweet`, a text, or `tweets`, a list of texts."]})
        if sum(map(len, attrs.get("tweets", ()))) > MAX_CHARACTERS_TOGETHER:
            raise serializers.ValidationError(
                {"tweets": [f"Ensure the tweets have no more than {MAX_CHARACTERS_TOGETHER} characters together."]}
            )
        return attrs


# One serializer for all requests. Validation stores nothing in it, and a new one copies its fields, which costs as much as the
# prediction.
_PREDICT_REQUEST = TweetInputSerializer()


def validate_predict_request(data: object) -> dict[str, Any]:
    """Return the validated fields of a request for verdicts. Raises `ValidationError`."""
    fields: dict[str, Any] = _PREDICT_REQUEST.run_validation(data)
    return fields


class ProbabilitiesSerializer(serializers.Serializer[object]):
    """The probability of each label. The linear engine knows only `hate`."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            label: serializers.FloatField(min_value=0, max_value=1, required=label == PRIMARY, help_text=meaning)
            for label, meaning in MEANINGS.items()
        }


class TargetSerializer(serializers.Serializer[object]):
    """A group that the text attacks."""

    group = serializers.ChoiceField(TARGETS)
    probability = serializers.FloatField(min_value=0, max_value=1)


class WordSerializer(serializers.Serializer[object]):
    """One word, and what it adds to the logit."""

    word = serializers.CharField()
    start = serializers.IntegerField(help_text="The first character, in code points of the text as it was posted.")
    end = serializers.IntegerField(help_text="The end, exclusive.")
    contribution = serializers.FloatField(help_text="A value above 0 speaks for hate.")


class ExplanationSerializer(serializers.Serializer[object]):
    """Why the model judges so. `logit` is the sum of `bias` and the contributions; it determines the probability of hate."""

    logit = serializers.FloatField()
    bias = serializers.FloatField()
    words = WordSerializer(many=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes fields off the class
        ["model"], required=False, help_text="Present if a review gave the verdict: the explanation is still the model's."
    )


class PredictionSerializer(serializers.Serializer[object]):
    """The verdict on one text."""

    is_hate_speech = serializers.BooleanField(help_text="Whether `probability` reaches `threshold`.")
    probability = serializers.FloatField(min_value=0, max_value=1, help_text="The probability of hate: 1 is hateful.")
    threshold = serializers.FloatField(min_value=0, max_value=1, help_text="The version's threshold, chosen when it was trained.")
    version = serializers.CharField(help_text="The version that gave the verdict.")
    labels = ProbabilitiesSerializer()
    targets = TargetSerializer(
        many=True,
        required=False,
        help_text="Present if `is_hate_speech` is true: the groups with a probability of at least a half, the highest first."
        " Encoder only.",
    )
    uncertainty = serializers.FloatField(
        min_value=0,
        required=False,
        help_text="Standard deviation of the logit of hate. It is high for texts unlike those labelled so far. Encoder only.",
    )
    explanation = ExplanationSerializer(required=False, help_text="Present if `explain` is true.")
    truncated = serializers.ChoiceField(
        [True],
        required=False,
        help_text="Present if the text was too long: the model read its first, its last and its most suspicious parts.",
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes fields off the class
        ["review"],
        required=False,
        help_text="Present if a person's review gave the verdict, not the model. Then `probability` is 0 or 1.",
    )
    language = serializers.CharField(
        required=False, help_text="Present if the text is not English: its ISO 639-1 code, or `und` if nobody here knows it."
    )
    language_supported = serializers.BooleanField(
        required=False, help_text="Present, and false, if the text is not English. The models have learned English only."
    )


class PredictionsSerializer(serializers.Serializer[object]):
    """The verdicts on several texts, in order."""

    results = PredictionSerializer(many=True)
