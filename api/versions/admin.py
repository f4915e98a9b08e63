"""Admin pages of versions and trainings."""

from django.contrib import admin

from ..web.admin import ReadOnlyAdmin
from .models import Activation, ModelVersion, TrainingRun


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """All versions, with their outcome and score."""

    list_display = ["name", "outcome", "format_score", "created_at", "pruned_at"]
    list_filter = ["outcome"]

    @admin.display(description="score")
    def format_score(self, version: ModelVersion) -> str:
        return f"{version.score['score']:.3f}"


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    """All activations: which version became active, and when."""

    list_display = ["activated_at", "version", "by", "is_pinned"]
    list_select_related = ["version"]


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """All trainings."""

    list_display = ["id", "stage", "outcome", "version", "error", "created_at", "finished_at"]
