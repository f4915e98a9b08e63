"""Who may do what."""

from django.conf import settings
from rest_framework.permissions import BasePermission


class OpenAccess(BasePermission):
    """Lets everybody in where the service is open to whoever reaches it, and nobody elsewhere."""

    message = "This needs HATE_SPEECH_OPEN_ACCESS=true, as it is in the local run. On a server use manage.py instead."
    code = "open_access_off"

    def has_permission(self, request, view):
        return settings.OPEN_ACCESS
