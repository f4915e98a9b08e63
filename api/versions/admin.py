"""Admin pages of versions and trainings, and the action on labels that makes a version."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ..access.audit import describe_moderator
from ..labels.admin import LabelAdmin
from ..labels.models import Label
from ..web.admin import ReadOnlyAdmin
from ..web.words import count
from .models import Activation, ModelVersion, TrainingRun
from .withdrawals import withdraw_reviews


@admin.action(description="Withdraw reviews: answer without them at once")
def withdraw(page: LabelAdmin, request: HttpRequest, queryset: QuerySet[Label]) -> None:
    withdrawn = withdraw_reviews(queryset, who=describe_moderator(request))
    said = f"{count(withdrawn, 'label')} withdrawn. The model is without them within a minute; see the training runs."
    page.message_user(request, said, messages.SUCCESS)


# The room of labels knows no versions, so its page gets this action here.
LabelAdmin.actions.append(withdraw)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """All versions, with their outcome and score."""

    list_display = ["name", "outcome", "format_score", "why", "created_at", "pruned_at"]
    list_filter = ["outcome"]

    @admin.display(description="score")
    def format_score(self, version: ModelVersion) -> str:
        return f"{version.score['score']:.3f}"

    @admin.display(description="came of a")
    def why(self, version: ModelVersion) -> str:
        return TrainingRun.Kind.WITHDRAWAL if version.withdrawn else TrainingRun.Kind.TRAINING


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    """All activations: which version became active, and when."""

    list_display = ["activated_at", "version", "by", "is_pinned"]
    list_select_related = ["version"]


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """All trainings and withdrawals."""

    list_display = ["id", "kind", "stage", "outcome", "version", "error", "created_at", "finished_at"]
