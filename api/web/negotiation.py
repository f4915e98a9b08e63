"""Content negotiation: the format of an answer."""

from collections.abc import Iterable

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysFirstRenderer(BaseContentNegotiation):
    """Answers in the view's first renderer whatever `Accept` says: a client that asks for HTML still gets an answer."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        # The parser of the request's content type; None becomes a 415.
        media_type = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class RendererByFormat(AlwaysFirstRenderer):
    """Answers in JSON if `?format=json` or `Accept` asks for it, else in the view's first renderer."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        choices = list(renderers)
        asks_for_json = request.GET.get("format") == "json" or "json" in request.META.get("HTTP_ACCEPT", "").lower()
        chosen = next((one for one in choices if asks_for_json and one.format == "json"), choices[0])
        return chosen, chosen.media_type
