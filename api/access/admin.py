"""The admin's pages of keys and of the audit trail."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.http import HttpRequest

from ..web.admin import ReadOnlyAdmin
from .audit import describe_moderator
from .models import ApiKey, AuditEntry
from .permissions import Scope
from .selectors import list_keys
from .services import create_key, revoke_keys


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The keys that clients show: created here, shown once, revoked here."""

    fields = ["name", "scopes", "is_trusted", "rate", "expires_at"]
    list_display = ["name", "scopes", "is_trusted", "rate", "created_at", "expires_at", "revoked_at", "last_used_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "is_trusted"]
    list_display_links = None
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("api.add_apikey")

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name == "scopes":
            return forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.PREDICT])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "forms.ModelForm[ApiKey]", change: bool) -> None:
        said = form.cleaned_data
        key = create_key(who=describe_moderator(request), **said)
        obj.pk = list_keys().get(name=said["name"]).pk
        self.message_user(request, f"The key, which is not shown again: {key}", messages.WARNING)

    def log_addition(self, request: HttpRequest, obj: ApiKey, message: object) -> None:  # type: ignore[override]  # none is made
        """The audit trail has it."""

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = revoke_keys(keys=queryset, who=describe_moderator(request))
        self.message_user(request, f"{count} keys revoked.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what of consequence."""

    list_display = ["at", "who", "what", "subject"]
    list_filter = ["what", "at"]
    list_display_links = None
