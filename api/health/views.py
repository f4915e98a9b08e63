"""The endpoints that tell whether the service is up and ready."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..web.openapi import NOT_ALLOWED, describe_answer, describe_invalid
from .readiness import OK, PARTS, SERVING, check_readiness


class HealthSerializer(serializers.Serializer[object]):
    """The process is up."""

    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[object]):
    """The state of each part: "ok", or what is wrong. With `for=serving`, of the parts that a verdict needs."""

    database = serializers.CharField(required=False, help_text="Whether it can be reached and written.")
    broker = serializers.CharField(required=False, help_text="Whether it can be reached.")
    worker = serializers.CharField(required=False, help_text="Whether one is running.")
    beat = serializers.CharField(required=False, help_text="Whether it is running.")
    disk = serializers.CharField(required=False, help_text="Whether the data folder has space.")
    model = serializers.CharField()
    version = serializers.CharField(help_text="The service's release.")
    commit = serializers.CharField(help_text="The commit of that release; empty outside a Git checkout.")


_RELEASE = {"version": "1.1.0", "commit": "5c0ffee5c0ff"}
_READY: dict[str, object] = dict.fromkeys(PARTS, OK)
_INVALID = "It takes serving. Without it, all parts are checked."

_healthz = extend_schema(
    operation_id="healthz",
    tags=["Health"],
    responses={200: describe_answer(HealthSerializer, "The process is up.", {"status": "ok"}), **NOT_ALLOWED},
)

_readyz = extend_schema(
    operation_id="readyz",
    tags=["Health"],
    parameters=[
        OpenApiParameter("for", enum=["serving"], description="`serving` asks only for what a verdict needs. Otherwise for all.")
    ],
    responses={
        200: describe_answer(ReadinessSerializer, "Every part works.", _READY | _RELEASE),
        400: describe_invalid({"for": [_INVALID]}),
        503: describe_answer(
            ReadinessSerializer, "A part is missing or cannot be reached.", _READY | {"worker": "not running"} | _RELEASE
        ),
        **NOT_ALLOWED,
    },
)


class HealthView(APIView):
    """Answer as long as this process is up."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    @_healthz
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(APIView):
    """Tell whether each part works, and which release this is."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    @_readyz
    def get(self, request: Request) -> Response:
        asked = request.query_params.getlist("for")
        if asked not in ([], ["serving"]):
            raise ValidationError({"for": [_INVALID]})
        parts = check_readiness(SERVING if asked else PARTS)
        is_ready = all(state == OK for state in parts.values())
        return Response(
            {**parts, "version": settings.VERSION, "commit": settings.COMMIT},
            status=status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE,
        )
