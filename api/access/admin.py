"""The admin's pages of keys and of the audit trail."""

from django import forms
from django.contrib import admin, messages

from ..web.admin import ReadOnlyAdmin
from .audit import describe_moderator
from .models import ApiKey, AuditEntry
from .permissions import Scope
from .selectors import api_keys
from .services import create_key, revoke_keys


class KeyForm(forms.ModelForm):
    """A new key; the key itself is created when the form is saved."""

    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.PREDICT])

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "is_trusted", "rate", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The keys that clients show: created here, shown once, revoked here."""

    form = KeyForm
    list_display = ["name", "scopes", "is_trusted", "rate", "created_at", "expires_at", "revoked_at", "last_used_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "is_trusted"]
    list_display_links = None
    actions = ["revoke"]

    def has_add_permission(self, request):
        return request.user.has_perm("api.add_apikey")

    def get_actions(self, request):
        return super().get_actions(request) if request.user.has_perm("api.change_apikey") else {}

    def save_model(self, request, obj, form, change):
        said = form.cleaned_data
        key = create_key(who=describe_moderator(request), **said)
        obj.pk = api_keys().get(name=said["name"]).pk
        self.message_user(request, f"The key, which is not shown again: {key}", messages.WARNING)

    def log_addition(self, request, obj, message):
        """The audit trail has it."""

    @admin.action(description="Revoke")
    def revoke(self, request, queryset):
        count = revoke_keys(keys=queryset, who=describe_moderator(request))
        self.message_user(request, f"{count} keys revoked.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what of consequence."""

    list_display = ["at", "who", "what", "subject"]
    list_filter = ["what", "at"]
    list_display_links = None
