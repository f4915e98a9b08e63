"""Admin pages of labels and suggestions."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ..access.audit import describe_moderator
from ..web.admin import IndexedValuesFilter, ReadOnlyAdmin
from .models import Label, Suggestion
from .selectors import list_waiting_suggestions
from .services import exclude_labels, restore_labels
from .suggestions import decide_suggestions


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    """All labels, with actions to exclude some from training."""

    list_display = ["id", "text", "name", "value", "source", "key", "is_current", "set_aside_at", "superseded_at", "created_at"]
    list_filter = [
        "is_current",
        ("set_aside_at", admin.EmptyFieldListFilter),
        ("superseded_at", admin.EmptyFieldListFilter),
        "name",
        "value",
        ("source", IndexedValuesFilter),
        ("key", IndexedValuesFilter),
        "created_at",
    ]
    list_select_related = ["tweet"]
    show_full_result_count = False
    actions = ["set_aside", "restore"]

    @admin.display(description="tweet")
    def text(self, label: Label) -> str:
        return label.tweet.text[:200]

    @admin.action(description="Exclude from training")
    def set_aside(self, request: HttpRequest, queryset: QuerySet[Label]) -> None:
        self.message_user(request, f"{exclude_labels(queryset)} labels excluded from training.", messages.SUCCESS)

    @admin.action(description="Restore to training")
    def restore(self, request: HttpRequest, queryset: QuerySet[Label]) -> None:
        self.message_user(request, f"{restore_labels(queryset)} labels restored.", messages.SUCCESS)


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    """Labels from untrusted keys that wait for a decision."""

    list_display = ["text", "name", "value", "source", "key", "created_at"]
    list_filter = [("key", IndexedValuesFilter), "name", "value", ("source", IndexedValuesFilter), "created_at"]
    list_display_links = None
    actions = ["accept", "turn_down"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suggestion]:
        return list_waiting_suggestions()

    @admin.display(description="tweet")
    def text(self, suggestion: Suggestion) -> str:
        return suggestion.tweet.text[:1000]

    @admin.action(description="Accept as reviews")
    def accept(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        self._decide(request, queryset, is_accepted=True)

    @admin.action(description="Turn down")
    def turn_down(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        self._decide(request, queryset, is_accepted=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Suggestion], *, is_accepted: bool) -> None:
        count = decide_suggestions(suggestions=queryset, is_accepted=is_accepted, who=describe_moderator(request))
        self.message_user(request, f"{count} suggestions {'accepted' if is_accepted else 'turned down'}.", messages.SUCCESS)
