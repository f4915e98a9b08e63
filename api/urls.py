"""The paths of all rooms; api.web.middleware lets each be written with a trailing slash too."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from .health import HealthView, ReadinessView

urlpatterns = [
    path("", include("api.pages.urls")),
    path("", include("api.verdicts.urls")),
    path("", include("api.labels.urls")),
    path("", include("api.versions.urls")),
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include("api.compat.urls")),
]
