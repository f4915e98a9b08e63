"""The admin page of posts to review."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from ..web.admin import IndexedValuesFilter, ReadOnlyAdmin
from ..web.words import count
from .models import Post
from .selectors import list_posts_to_review
from .services import review_posts


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    """Posts that wait for a decision, in the order of review."""

    list_display = ["text", "says", "feed", "where", "found_at"]
    list_filter = [("feed", IndexedValuesFilter), "is_hate_speech"]
    list_display_links = None
    ordering = ["place", "-uncertainty", "id"]
    actions = ["hateful", "not_hateful"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Post]:
        return list_posts_to_review()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = "Posts to review: first those that the model is unsure of and that are unlike one another"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description="post")
    def text(self, post: Post) -> str:
        return post.tweet.text[:1000]

    @admin.display(description="the model says", ordering="probability")
    def says(self, post: Post) -> str:
        return f"{'hateful' if post.is_hate_speech else 'not hateful'}, {post.probability:.0%}"

    @admin.display(description="link")
    def where(self, post: Post) -> str:
        if not post.link.startswith(("https://", "http://")):
            return ""
        return format_html('<a href="{}" rel="noopener noreferrer">open</a>', post.link)

    @admin.action(description="Hateful")
    def hateful(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        self._decide(request, queryset, is_hate_speech=True)

    @admin.action(description="Not hateful")
    def not_hateful(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        self._decide(request, queryset, is_hate_speech=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Post], *, is_hate_speech: bool) -> None:
        reviewed = review_posts(posts=queryset, is_hate_speech=is_hate_speech)
        self.message_user(request, f"{count(reviewed, 'post')} reviewed; the next training learns from them.", messages.SUCCESS)
