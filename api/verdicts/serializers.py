"""What /predict takes, and what it answers."""

from rest_framework import serializers

from hate_speech_AI.labels import MEANINGS, PRIMARY

from ..web.fields import MAX_CHARACTERS_TOGETHER, MAX_TWEETS, TweetField


class TweetInputSerializer(serializers.Serializer):
    """One text as `tweet`, or several as `tweets`."""

    tweet = TweetField(required=False)
    tweets = serializers.ListField(child=TweetField(), required=False, allow_empty=False, max_length=MAX_TWEETS)
    explain = serializers.BooleanField(
        required=False, default=False, help_text="Whether to explain the verdict word by word. Only the encoder can."
    )

    def validate(self, attrs):
        if ("tweet" in attrs) == ("tweets" in attrs):
            raise serializers.ValidationError({"tweet": ["Send either `tweet`, a text, or `tweets`, a list of texts."]})
        if sum(map(len, attrs.get("tweets", ()))) > MAX_CHARACTERS_TOGETHER:
            raise serializers.ValidationError(
                {"tweets": [f"Ensure the tweets have no more than {MAX_CHARACTERS_TOGETHER} characters together."]}
            )
        return attrs


# One for all requests, since validation keeps nothing in it: to build one for each request copies its fields, which costs as
# much as the prediction.
_PREDICT_REQUEST = TweetInputSerializer()


def validate_predict_request(data) -> dict:
    """Return the checked fields of a request for a prediction; raises `ValidationError`, as a serializer does."""
    return _PREDICT_REQUEST.run_validation(data)


class ProbabilitiesSerializer(serializers.Serializer):
    """A probability for each label; the linear engine knows only `hate`."""

    def get_fields(self):
        return {
            label: serializers.FloatField(min_value=0, max_value=1, required=label == PRIMARY, help_text=meaning)
            for label, meaning in MEANINGS.items()
        }


class WordSerializer(serializers.Serializer):
    """What one word adds to the logit."""

    word = serializers.CharField()
    start = serializers.IntegerField(help_text="In code points of the text as it was posted.")
    end = serializers.IntegerField(help_text="Exclusive.")
    contribution = serializers.FloatField(help_text="Above 0 it speaks for hate.")


class ExplanationSerializer(serializers.Serializer):
    """Why: `bias` and the contributions sum to `logit`, from which the probability of hate follows."""

    logit = serializers.FloatField()
    bias = serializers.FloatField()
    words = WordSerializer(many=True)
    source = serializers.ChoiceField(
        ["model"], required=False, help_text="Present if a review answers: the explanation is still the model's."
    )


class PredictionSerializer(serializers.Serializer):
    """The verdict on one text."""

    is_hate_speech = serializers.BooleanField(help_text="Whether `probability` reaches `threshold`.")
    probability = serializers.FloatField(min_value=0, max_value=1, help_text="1 is hateful.")
    threshold = serializers.FloatField(min_value=0, max_value=1, help_text="Chosen in the version's training.")
    version = serializers.CharField(help_text="The version that gave the verdict.")
    labels = ProbabilitiesSerializer()
    uncertainty = serializers.FloatField(
        min_value=0,
        required=False,
        help_text="Standard deviation of the logit of hate: how little the labels so far say of such a text. Encoder only.",
    )
    explanation = ExplanationSerializer(required=False, help_text="If it was asked for.")
    source = serializers.ChoiceField(
        ["review"],
        required=False,
        help_text="Present if a person's review answers, whatever the model thinks; then probability is 0 or 1.",
    )


class PredictionsSerializer(serializers.Serializer):
    """The verdicts on several texts, in order."""

    results = PredictionSerializer(many=True)
