"""URLs of the project: the API's, and answers in its shape for what no view answers."""

from django.urls import include, path

urlpatterns = [path("", include("api.urls"))]

handler400 = "api.exceptions.bad_request"
handler403 = "api.exceptions.permission_denied"
handler404 = "api.exceptions.not_found"
handler500 = "api.exceptions.server_error"
