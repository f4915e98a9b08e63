"""URLs of the project, and the handlers of errors outside of any view."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from api import urls as api
from api.access.logins import log_in

urlpatterns = [
    *api.urlpatterns,
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", log_in),  # before the admin's own
    path("admin/", admin.site.urls),
]

handler400 = "api.web.exceptions.bad_request"
handler403 = "api.web.exceptions.permission_denied"
handler404 = "api.web.exceptions.not_found"
handler500 = "api.web.exceptions.server_error"
