"""Admin pages of keys and of the audit trail."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.http import HttpRequest

from ..web.admin import ReadOnlyAdmin
from ..web.words import count
from .audit import describe_moderator
from .logins import LoginForm
from .models import ApiKey, AuditEntry
from .permissions import Scope
from .selectors import list_keys
from .services import create_key, revoke_keys

admin.site.login_form = LoginForm


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys: create one, which shows it once, or revoke some."""

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
        fields = form.cleaned_data
        key = create_key(who=describe_moderator(request), **fields)
        obj.pk = list_keys().get(name=fields["name"]).pk
        self.message_user(request, f"Copy the key now, it is not shown again: {key}", messages.WARNING)

    def log_addition(self, request: HttpRequest, obj: ApiKey, message: object) -> None:  # type: ignore[override]  # none is made
        """Do nothing: the audit trail has an entry already."""

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = revoke_keys(keys=queryset, who=describe_moderator(request))
        self.message_user(request, f"{count(revoked, 'key')} revoked.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["at", "who", "what", "subject"]
    list_filter = ["what", "at"]
    list_display_links = None
