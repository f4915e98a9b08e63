"""The pages for moderators and operators, at /admin/; `python manage.py createsuperuser` makes the first account."""

from django.contrib import admin, messages
from django.utils.html import format_html

from ..access.audit import describe_moderator
from ..web.admin import ReadOnlyAdmin
from . import selectors, services
from .models import Activation, Label, ModelVersion, Post, Suggestion, TrainingRun


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    """Every label ever given, with the actions that take some out of training."""

    list_display = ["id", "text", "name", "value", "source", "key", "is_current", "set_aside_at", "created_at"]
    list_filter = ["is_current", ("set_aside_at", admin.EmptyFieldListFilter), "name", "value", "source", "key", "created_at"]
    list_select_related = ["tweet"]
    show_full_result_count = False
    actions = ["set_aside", "restore"]

    @admin.display(description="tweet")
    def text(self, label):
        return label.tweet.text[:200]

    def get_actions(self, request):
        # Without the right to change labels they are for reading.
        return super().get_actions(request) if request.user.has_perm("api.change_label") else {}

    @admin.action(description="Set aside: keep out of training")
    def set_aside(self, request, queryset):
        self.message_user(request, f"{services.set_aside_labels(queryset)} labels set aside.", messages.SUCCESS)

    @admin.action(description="Restore: let them count again")
    def restore(self, request, queryset):
        self.message_user(request, f"{services.restore_labels(queryset)} labels restored.", messages.SUCCESS)


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    """What keys without trust said, until somebody decides."""

    list_display = ["text", "name", "value", "source", "key", "created_at"]
    list_filter = ["key", "name", "value", "source", "created_at"]
    list_display_links = None
    actions = ["accept", "turn_down"]

    def get_queryset(self, request):
        return selectors.waiting_suggestions()

    def get_actions(self, request):
        return super().get_actions(request) if request.user.has_perm("api.change_suggestion") else {}

    @admin.display(description="tweet")
    def text(self, suggestion):
        return suggestion.tweet.text[:1000]

    @admin.action(description="Accept: let them count as reviews")
    def accept(self, request, queryset):
        self._decide(request, queryset, is_accepted=True)

    @admin.action(description="Turn down")
    def turn_down(self, request, queryset):
        self._decide(request, queryset, is_accepted=False)

    def _decide(self, request, queryset, *, is_accepted: bool) -> None:
        count = services.decide_suggestions(suggestions=queryset, is_accepted=is_accepted, who=describe_moderator(request))
        self.message_user(request, f"{count} suggestions {'accepted' if is_accepted else 'turned down'}.", messages.SUCCESS)


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    """Posts that wait for a decision, most uncertain first."""

    list_display = ["text", "says", "feed", "where", "found_at"]
    list_filter = ["feed", "is_hate_speech"]
    list_display_links = None
    actions = ["hateful", "not_hateful"]

    def get_queryset(self, request):
        return selectors.posts_to_review()

    def get_ordering(self, request):
        return ["-uncertainty", "id"]

    def get_actions(self, request):
        return super().get_actions(request) if request.user.has_perm("api.change_post") else {}

    @admin.display(description="post")
    def text(self, post):
        return post.tweet.text[:1000]

    @admin.display(description="the model says", ordering="probability")
    def says(self, post):
        return f"{'hateful' if post.is_hate_speech else 'not hateful'}, {post.probability:.0%}"

    @admin.display(description="link")
    def where(self, post):
        if not post.link.startswith(("https://", "http://")):
            return ""
        return format_html('<a href="{}" rel="noopener noreferrer">open</a>', post.link)

    @admin.action(description="Hateful")
    def hateful(self, request, queryset):
        self._decide(request, queryset, is_hate_speech=True)

    @admin.action(description="Not hateful")
    def not_hateful(self, request, queryset):
        self._decide(request, queryset, is_hate_speech=False)

    def _decide(self, request, queryset, *, is_hate_speech: bool) -> None:
        count = services.review_posts(posts=queryset, is_hate_speech=is_hate_speech)
        self.message_user(request, f"{count} posts reviewed; the next training learns from them.", messages.SUCCESS)


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
