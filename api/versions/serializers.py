"""The answers about scores, versions and trainings."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
        ' tweets. "own_reviews" says how both answer the reviews, out of fold, and whether the version may forget for that.'
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
    """A training, from its request to its outcome."""

    run = serializers.IntegerField(source="id")
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
