"""Whether the service is up and ready."""

from django.conf import settings
from django.db import connection
from drf_spectacular.utils import extend_schema
from kombu import Connection
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.errors import HateSpeechError

from .verdicts.services import judge
from .web.openapi import NOT_ALLOWED, describe_answer


def check_readiness() -> dict[str, str]:
    """Return the state of each part that the service needs: "ok", or what is wrong in a few words."""
    return {"database": _check_database(), "broker": _check_broker(), "model": _check_model()}


def _check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return "not reachable"
    return "ok"


def _check_broker() -> str:
    try:
        with Connection(
            settings.CELERY_BROKER_URL, connect_timeout=1, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=1, interval_start=0)
            broker.default_channel  # noqa: B018  (opening it is what talks to Redis)
    except Exception:
        return "not reachable"
    return "ok"


def _check_model() -> str:
    try:
        judge(["ready?"], caller=None, with_reviews=False)
    except HateSpeechError:
        return "missing"
    return "ok"


class HealthSerializer(serializers.Serializer[object]):
    """The process is up."""

    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[object]):
    """The state of each part: "ok", or what is wrong."""

    database = serializers.CharField()
    broker = serializers.CharField()
    model = serializers.CharField()
    version = serializers.CharField(help_text="The service's release.")
    commit = serializers.CharField(help_text="The commit of that release; empty outside a Git checkout.")


_RELEASE = {"version": "1.1.0", "commit": "5c0ffee5c0ff"}

_healthz = extend_schema(
    operation_id="healthz",
    tags=["Health"],
    responses={200: describe_answer(HealthSerializer, "The process is up.", {"status": "ok"}), **NOT_ALLOWED},
)

_readyz = extend_schema(
    operation_id="readyz",
    tags=["Health"],
    responses={
        200: describe_answer(
            ReadinessSerializer, "Every part works.", {"database": "ok", "broker": "ok", "model": "ok", **_RELEASE}
        ),
        503: describe_answer(
            ReadinessSerializer,
            "A part is missing or cannot be reached.",
            {"database": "ok", "broker": "ok", "model": "missing", **_RELEASE},
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
    """Tell whether database, broker and model work, and which release this is."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    @_readyz
    def get(self, request: Request) -> Response:
        parts = check_readiness()
        is_ready = all(state == "ok" for state in parts.values())
        return Response(
            {**parts, "version": settings.VERSION, "commit": settings.COMMIT},
            status=status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE,
        )
