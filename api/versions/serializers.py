"""The answers about scores, versions and trainings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..web.fields import TweetField
from .models import ModelVersion, TrainingRun


class ScoreSerializer(serializers.Serializer[object]):
    """The active version's figures on held-out tweets."""

    score = serializers.FloatField(help_text="F1 of the hate class on the set that `of` names.")
    of = serializers.ChoiceField(
        ["held_out", "shipped"],
        help_text="The set that the score was measured on: the held-out tweets (`held_out`), or the evaluation set that comes"
        " with the encoder (`shipped`). It is `shipped` until 300 tweets are held out, at least 50 of them hateful and 50 not.",
    )
    slices = serializers.DictField(help_text="The figures on each of the two sets.")
    precision = serializers.FloatField(help_text="The share of flagged tweets that are hateful.")
    recall = serializers.FloatField(help_text="The share of hateful tweets that are flagged.")
    roc_auc = serializers.FloatField(
        allow_null=True, help_text="The area under the ROC curve; null if all tweets of the set have the same label."
    )
    held_out = serializers.IntegerField(help_text="How many tweets are held out.")
    trained_on = serializers.IntegerField(help_text="How many tweets it was trained on.")
    trained_at = serializers.DateTimeField()
    version = serializers.CharField()
    pinned = serializers.BooleanField(help_text="Whether the version stays active until somebody unpins it.")


class ActivationSerializer(serializers.Serializer[object]):
    """An activation: when, and whether by the gate or by hand."""

    activated_at = serializers.DateTimeField()
    by = serializers.ChoiceField(["gate", "hand"])


class LabelGroupSerializer(serializers.Serializer[object]):
    """How many labels came from one source with one key in one night (UTC)."""

    source = serializers.CharField()  # type: ignore[assignment]  # DRF has an attribute of that name
    key = serializers.CharField(help_text="Empty if no key brought them.")
    night = serializers.DateField()
    labels = serializers.IntegerField()


class VersionSerializer(serializers.Serializer[ModelVersion]):
    """A version, its figures and its outcome."""

    version = serializers.CharField(source="name")
    created_at = serializers.DateTimeField()
    engine = serializers.CharField()
    outcome = serializers.ChoiceField(["promoted", "refused", "held_back"])
    active = serializers.SerializerMethodField()
    pinned = serializers.SerializerMethodField()
    pruned = serializers.SerializerMethodField()
    parent = serializers.CharField(  # type: ignore[assignment]  # DRF takes fields off the class
        help_text="The version that was active when it was trained."
    )
    score = serializers.DictField(help_text="As in /score.")
    reasons = serializers.SerializerMethodField(help_text="Why the gate refused the version.")
    activations = ActivationSerializer(many=True)
    set_aside = LabelGroupSerializer(
        many=True,
        help_text="The labels that its training set aside, because with them the gate refused it. Nothing learns from them until"
        " they are restored.",
    )

    withdrawn = LabelGroupSerializer(
        many=True,
        help_text="The reviews that were taken out of its parent. Then it came of a withdrawal; otherwise it is empty, and a"
        " training made it.",
    )

    def get_active(self, version: ModelVersion) -> bool:
        return self.context["pointer"] is not None and self.context["pointer"].version == version.name

    def get_pinned(self, version: ModelVersion) -> bool:
        return self.get_active(version) and self.context["pointer"].is_pinned

    def get_pruned(self, version: ModelVersion) -> bool:
        return version.pruned_at is not None

    def get_reasons(self, version: ModelVersion) -> list[str]:
        reasons: list[str] = version.gate["reasons"]
        return reasons


class VersionDetailSerializer(VersionSerializer):
    """A version, with the gate's comparisons."""

    gate = serializers.DictField(
        help_text="Each condition with the figures of candidate and rival, and the figures of both on each slice of held-out"
        " tweets."
    )
    most_new_labels = serializers.ListField(
        child=serializers.DictField(),
        help_text="For a refused version: the largest groups of labels since its rival was trained, by source, key and hour.",
    )


class PointerSerializer(serializers.Serializer[object]):
    """The active version."""

    version = serializers.CharField()
    pinned = serializers.BooleanField()


class TrainingRunSerializer(serializers.Serializer[TrainingRun]):
    """A training or a withdrawal, from its request to its outcome."""

    run = serializers.IntegerField(source="id")
    kind = serializers.ChoiceField(["training", "withdrawal"])
    stage = serializers.CharField()
    percent = serializers.IntegerField(min_value=0, max_value=100)
    outcome = serializers.ChoiceField(
        ["", "promoted", "refused", "held_back", "unchanged", "failed"], help_text="Empty until it is finished."
    )
    version = serializers.CharField(help_text="The version that it created; if nothing had changed, the newest version.")
    error = serializers.CharField(help_text="Why the training failed.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    set_aside = serializers.SerializerMethodField(help_text="The labels that it set aside: see /models.")

    @extend_schema_field(LabelGroupSerializer(many=True))
    def get_set_aside(self, run: TrainingRun) -> list[dict[str, object]]:
        version = ModelVersion.objects.filter(name=run.version).first() if run.outcome not in ("", "unchanged") else None
        return version.set_aside if version else []


class HistoryEntrySerializer(serializers.Serializer[object]):
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


class WithdrawInputSerializer(serializers.Serializer[object]):
    """Reviews to withdraw: those of a text, or those of the text and the key of one review."""

    tweet = TweetField(required=False)
    review = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The number of a review, from /reviewed/influence."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("tweet" in attrs) == ("review" in attrs):
            raise serializers.ValidationError({"tweet": ["Send either `tweet`, a text, or `review`, the number of a review."]})
        return attrs


class WithdrawnSerializer(serializers.Serializer[object]):
    """What was withdrawn."""

    detail = serializers.CharField()
    withdrawn = serializers.IntegerField(help_text="How many labels counted until now.")
    suggestions = serializers.IntegerField(help_text="How many labels of the key waited for a moderator.")


class InfluenceInputSerializer(serializers.Serializer[object]):
    """A text, and how many reviews to name."""

    tweet = TweetField()
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=50)


class InfluentialReviewSerializer(serializers.Serializer[object]):
    """A review, and its effect. Who may not read it gets the effect, and what it says, alone."""

    effect = serializers.FloatField(help_text="How much lower the logit of hate would be if nobody had given this review.")
    is_hate_speech = serializers.BooleanField(help_text="What the review says.")
    review = serializers.IntegerField(required=False, help_text="Its number, for /reviewed/withdraw.")
    tweet = serializers.CharField(required=False, help_text="The text that it is of.")
    key = serializers.CharField(required=False, help_text="The API key that brought it; empty if none did.")
    created_at = serializers.DateTimeField(required=False)


class InfluenceSerializer(serializers.Serializer[object]):
    """The model's verdict on a text, and the reviews that moved it most."""

    version = serializers.CharField()
    is_hate_speech = serializers.BooleanField(help_text="What the model says, even if the text was reviewed.")
    probability = serializers.FloatField(min_value=0, max_value=1)
    logit = serializers.FloatField()
    reviews = InfluentialReviewSerializer(many=True)
    missing = serializers.IntegerField(
        help_text="How many reviews were not looked at, since their embeddings are gone. The next training makes them again."
    )
