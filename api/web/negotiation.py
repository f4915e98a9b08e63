"""What an answer is written in."""

from rest_framework.negotiation import BaseContentNegotiation


class AlwaysFirstRenderer(BaseContentNegotiation):
    """Answers in the view's first renderer whatever `Accept` says: a client that asks for HTML still gets an answer."""

    def select_parser(self, request, parsers):
        # As the base of DRF's own: the one for the request's content type, or None, which is a 415.
        media_type = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type
