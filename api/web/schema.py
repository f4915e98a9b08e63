"""The endpoint /schema."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .negotiation import RendererByFormat


@cache
def generate_schema() -> dict[str, Any]:
    """Return the OpenAPI schema. It takes a tenth of a second, and is the same for everybody."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@extend_schema(exclude=True)
class SchemaView(APIView):
    """Return the OpenAPI schema, as YAML or JSON. drf-spectacular's own view writes parts of the query into a header."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()
    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer2]
    content_negotiation_class = RendererByFormat

    def get(self, request: Request) -> Response:
        return Response(generate_schema(), headers={"Vary": "Accept"})
