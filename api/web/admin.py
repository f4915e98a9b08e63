"""What the admin pages of all rooms share."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no argument when it runs
    """Shows rows. Accounts with the right to change them may run the actions; nobody edits a row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        # Accounts without the right to change rows may only read.
        return super().get_actions(request) if super().has_change_permission(request) else {}


class IndexedValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the first values of a column that an index begins with.

    Each is one look-up in the index. Django's own filter reads all rows for each page that is shown.
    """

    n_shown = 100

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: "admin.ModelAdmin[Any]",
        field_path: str,
    ):
        super().__init__(field, request, params, model, model_admin, field_path)
        # The template only iterates over them.
        self.lookup_choices = list(self._find_values(model_admin.get_queryset(request)))  # type: ignore[assignment]

    def _find_values(self, rows: "QuerySet[Any]") -> Iterator[str]:
        values = rows.order_by(self.field_path).values_list(self.field_path, flat=True)
        value = values.first()
        for _ in range(self.n_shown):
            if value is None:
                return
            yield value
            value = values.filter(**{f"{self.field_path}__gt": value}).first()
