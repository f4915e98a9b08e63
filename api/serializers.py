"""What comes in, checked, and what goes out, described."""

from rest_framework import serializers
from rest_framework.fields import empty

from hate_speech_AI.labels import MEANINGS, PRIMARY

MAX_TWEET_CHARACTERS = 10_000
MAX_TWEETS = 1_000
MAX_CHARACTERS_TOGETHER = 300_000


class TweetField(serializers.CharField):
    """A text as it was posted: a string and nothing that could become one, not trimmed, not blank.

    CharField itself refuses NUL and lone surrogates, which the databases cannot keep.
    """

    def __init__(self, **kwargs):
        super().__init__(max_length=MAX_TWEET_CHARACTERS, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip():
            self.fail("blank")
        return data


class RequiredBooleanField(serializers.BooleanField):
    """True or false, said in so many words: a checkbox that a form leaves out is an error, not a false."""

    default_empty_html = empty

    def to_internal_value(self, data):
        # Strings are for forms, which have nothing else.
        if (isinstance(data, str) and self.parent.is_form) or isinstance(data, bool):
            return super().to_internal_value(data)
        return self.fail("invalid", input=data)


class TweetInputSerializer(serializers.Serializer):
    """One text as `tweet`, or several as `tweets`."""

    tweet = TweetField(required=False)
    tweets = serializers.ListField(child=TweetField(), required=False, allow_empty=False, max_length=MAX_TWEETS)
    explain = serializers.BooleanField(
        required=False, default=False, help_text="Whether to tell what each word adds; the encoder's engine can."
    )

    def validate(self, attrs):
        if ("tweet" in attrs) == ("tweets" in attrs):
            raise serializers.ValidationError({"tweet": ["Send either `tweet`, a text, or `tweets`, a list of texts."]})
        if sum(map(len, attrs.get("tweets", ()))) > MAX_CHARACTERS_TOGETHER:
            raise serializers.ValidationError(
                {"tweets": [f"Ensure the tweets have no more than {MAX_CHARACTERS_TOGETHER} characters together."]}
            )
        return attrs


class ReviewedTweetInputSerializer(serializers.Serializer):
    """A text and what a person says of it."""

    tweet = TweetField()
    is_hate_speech = RequiredBooleanField()

    @property
    def is_form(self) -> bool:
        return hasattr(self.initial_data, "getlist")


class ProbabilitiesSerializer(serializers.Serializer):
    """A probability for each label; engine linear knows `hate` only."""

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
    """Why: `bias` and the contributions sum to `logit`, from which the probability of hate is made."""

    logit = serializers.FloatField()
    bias = serializers.FloatField()
    words = WordSerializer(many=True)
    source = serializers.ChoiceField(
        ["model"], required=False, help_text="There where a review answers: this is what the model alone thinks."
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
        help_text="There where a person's review answers, whatever the model thinks; then probability is 0 or 1.",
    )


class PredictionsSerializer(serializers.Serializer):
    """The verdicts on several texts, in order."""

    results = PredictionSerializer(many=True)


class DetailSerializer(serializers.Serializer):
    """That it was done."""

    detail = serializers.CharField()


class ScoreSerializer(serializers.Serializer):
    """How good the active version is on tweets that it never learned from."""

    score = serializers.FloatField(help_text="F1 of the hate class on what `of` names.")
    of = serializers.ChoiceField(
        ["held_out", "shipped"],
        help_text="The held-out tweets; or the evaluation set that comes with the encoder, until 300 tweets are held out, 50 of"
        " each label.",
    )
    slices = serializers.DictField(help_text="The figures on each of the two.")
    precision = serializers.FloatField(help_text="Of the tweets it calls hateful, how many are.")
    recall = serializers.FloatField(help_text="Of the hateful tweets, how many it finds.")
    roc_auc = serializers.FloatField(allow_null=True, help_text="Null where the held-out tweets are of one label.")
    held_out = serializers.IntegerField(help_text="How many tweets are held out.")
    trained_on = serializers.IntegerField(help_text="How many tweets it learned from.")
    trained_at = serializers.DateTimeField()
    version = serializers.CharField()
    pinned = serializers.BooleanField(help_text="Whether the version stays active until somebody unpins it.")


class HealthSerializer(serializers.Serializer):
    """The process is up."""

    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer):
    """For each part, "ok" or what is wrong."""

    database = serializers.CharField()
    broker = serializers.CharField()
    model = serializers.CharField()


class InvalidSerializer(serializers.Serializer):
    """What is wrong with the request, by field; `body` where it is none."""

    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ErrorSerializer(serializers.Serializer):
    """Why the request was not answered."""

    detail = serializers.CharField()
    code = serializers.CharField()


class ActivationSerializer(serializers.Serializer):
    """When a version became the active one, and by whom."""

    activated_at = serializers.DateTimeField()
    by = serializers.ChoiceField(["gate", "hand"])


class VersionSerializer(serializers.Serializer):
    """A version: its figures, the gate's verdict, and whether it is active."""

    version = serializers.CharField(source="name")
    created_at = serializers.DateTimeField()
    engine = serializers.CharField()
    outcome = serializers.ChoiceField(["promoted", "refused", "held_back"])
    active = serializers.SerializerMethodField()
    pinned = serializers.SerializerMethodField()
    pruned = serializers.SerializerMethodField()
    parent = serializers.CharField(help_text="The version that was active when it was trained.")
    score = serializers.DictField(help_text="As in /score.")
    reasons = serializers.SerializerMethodField(help_text="Why the gate refused it.")
    activations = ActivationSerializer(many=True)

    def get_active(self, version) -> bool:
        return self.context["pointer"] is not None and self.context["pointer"].version == version.name

    def get_pinned(self, version) -> bool:
        return self.get_active(version) and self.context["pointer"].is_pinned

    def get_pruned(self, version) -> bool:
        return version.pruned_at is not None

    def get_reasons(self, version) -> list[str]:
        return version.gate["reasons"]


class VersionDetailSerializer(VersionSerializer):
    """A version, with every comparison of the gate."""

    gate = serializers.DictField(help_text="Every condition with both figures, and the figures of both on each held-out slice.")
    most_new_labels = serializers.ListField(
        child=serializers.DictField(),
        help_text="Of a refused version: the sources, keys and hours of most labels since its rival.",
    )


class PointerSerializer(serializers.Serializer):
    """Which version is active."""

    version = serializers.CharField()
    pinned = serializers.BooleanField()


class TrainingRunSerializer(serializers.Serializer):
    """A training, from its request to its outcome."""

    run = serializers.IntegerField(source="id")
    stage = serializers.CharField()
    percent = serializers.IntegerField(min_value=0, max_value=100)
    outcome = serializers.ChoiceField(
        ["", "promoted", "refused", "held_back", "unchanged", "failed"], help_text="Empty until it is finished."
    )
    version = serializers.CharField(help_text="The version that it made, or found unchanged.")
    error = serializers.CharField(help_text="Why it failed.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class HistoryEntrySerializer(serializers.Serializer):
    """The score of one version."""

    version = serializers.CharField()
    trained_at = serializers.DateTimeField()
    score = serializers.FloatField()
    of = serializers.ChoiceField(["held_out", "shipped"])
    slices = serializers.DictField()
    precision = serializers.FloatField()
    recall = serializers.FloatField()
    roc_auc = serializers.FloatField(allow_null=True)
    held_out = serializers.IntegerField()
    trained_on = serializers.IntegerField()
    outcome = serializers.ChoiceField(["promoted", "refused", "held_back"])
    active = serializers.BooleanField()
