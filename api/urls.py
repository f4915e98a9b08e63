"""The paths of all rooms; api.web.middleware lets each be written with a trailing slash too.

One flat list, tried in order, so the room that is asked most comes first: each `include` would cost /predict a fortieth
of its time.
"""

from django.urls import path
from drf_spectacular.views import SpectacularSwaggerView

from .compat import urls as compat
from .health.views import HealthView, ReadinessView
from .labels import urls as labels
from .pages import urls as pages
from .verdicts import urls as verdicts
from .versions import urls as versions
from .web.schema import SchemaView

urlpatterns = [
    *verdicts.urlpatterns,
    *labels.urlpatterns,
    *versions.urlpatterns,
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    *compat.urlpatterns,
    *pages.urlpatterns,
]
