"""What the endpoints of scores, versions and trainings answer."""

from rest_framework import serializers


class ScoreSerializer(serializers.Serializer):
    """How good the active version is on held-out tweets."""

    score = serializers.FloatField(help_text="F1 of the hate class on the set that `of` names.")
    of = serializers.ChoiceField(
        ["held_out", "shipped"],
        help_text="The set that the score is of: the held-out tweets. Until 300 tweets are held out, 50 of each label, it is"
        " the evaluation set that comes with the encoder.",
    )
    slices = serializers.DictField(help_text="The figures on each of the two sets.")
    precision = serializers.FloatField(help_text="Of the tweets it calls hateful, how many are.")
    recall = serializers.FloatField(help_text="Of the hateful tweets, how many it finds.")
    roc_auc = serializers.FloatField(allow_null=True, help_text="Null if all held-out tweets have one label.")
    held_out = serializers.IntegerField(help_text="How many tweets are held out.")
    trained_on = serializers.IntegerField(help_text="How many tweets it learned from.")
    trained_at = serializers.DateTimeField()
    version = serializers.CharField()
    pinned = serializers.BooleanField(help_text="Whether the version stays active until somebody unpins it.")


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

    gate = serializers.DictField(
        help_text="Every condition with the figures of candidate and rival, and both versions' figures on each held-out slice."
    )
    most_new_labels = serializers.ListField(
        child=serializers.DictField(),
        help_text="For a refused version: how many labels came since its rival, by source, key and hour.",
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
    version = serializers.CharField(help_text="The version that it created, or found unchanged.")
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
