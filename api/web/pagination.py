"""Pagination."""

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request


class Pages(PageNumberPagination):
    """Lists in pages: `?page=2&page_size=50`, at most 200 entries each."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        """Return the entries a page. Raises `ValidationError` for what DRF would replace by another number without a word."""
        given = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= self.max_page_size):
            raise ValidationError({"page_size": [f"A number from 1 to {self.max_page_size} is expected."]})
        return int(given)
