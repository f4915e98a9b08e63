"""The admin's lists of versions and trainings."""

from django.contrib import admin

from ..web.admin import ReadOnlyAdmin
from .models import Activation, ModelVersion, TrainingRun


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """What happened to each version."""

    list_display = ["name", "outcome", "f1", "created_at", "pruned_at"]
    list_filter = ["outcome"]

    @admin.display(description="score")
    def f1(self, version):
        return f"{version.score['score']:.3f}"


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    """When which version became the active one."""

    list_display = ["activated_at", "version", "by", "is_pinned"]
    list_select_related = ["version"]


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Every training."""

    list_display = ["id", "stage", "outcome", "version", "error", "created_at", "finished_at"]
