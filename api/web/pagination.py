"""Pagination."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """Lists in pages: `?page=2&page_size=50`, at most 200 entries each."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 200
