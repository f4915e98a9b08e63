"""The endpoints: serializer in, one call, serializer out."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech.tasks import queue_training
from hate_speech_AI.core import classifier

from ..access.audit import describe_caller
from ..access.authentication import describe_origin
from ..access.permissions import Scope, require_scope
from ..labels import selectors, services
from ..labels.models import TrainingRun
from . import schema
from .serializers import (
    HistoryEntrySerializer,
    ReviewedTweetInputSerializer,
    TrainingRunSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)


class AddReviewedTweetManuallyView(GenericAPIView):
    """Record what a person says of a text; the next training learns from it."""

    permission_classes = [require_scope(Scope.REVIEW)]
    serializer_class = ReviewedTweetInputSerializer

    @schema.reviewed
    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said = {"text": serializer.validated_data["tweet"], "is_hate_speech": serializer.validated_data["is_hate_speech"]}
        services.add_review(**said, **describe_origin(request))
        if request.auth and not request.auth.is_trusted:
            return Response({"detail": "Kept for a moderator to accept"})
        return Response({"detail": "Tweet added to the database correctly"})


class GetScoreView(APIView):
    """Tell how good the active version is on tweets that it never learned from."""

    permission_classes = [require_scope(Scope.PREDICT)]

    @schema.score
    def get(self, request):
        return Response(classifier.get_score())


class _OfVersions:
    """What the views of versions share."""

    def get_queryset(self):
        return selectors.versions()

    def get_serializer_context(self):
        return {**super().get_serializer_context(), "pointer": classifier.pointer()}


class ScoreHistoryView(_OfVersions, ListAPIView):
    """Tell the scores of all versions, newest first."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = HistoryEntrySerializer

    @schema.score_history
    def get(self, request):
        active = classifier.store.active()
        page = self.paginate_queryset(self.get_queryset())
        entries = [
            {"version": version.name, **version.score, "outcome": version.outcome, "active": version.name == active}
            for version in page
        ]
        return self.get_paginated_response(self.get_serializer(entries, many=True).data)


class ModelVersionsView(_OfVersions, ListAPIView):
    """List the versions, newest first."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = VersionSerializer

    @schema.models
    def get(self, request):
        return self.list(request)


class ModelVersionView(_OfVersions, RetrieveAPIView):
    """Show one version, with every comparison of the gate."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = VersionDetailSerializer
    lookup_field, lookup_url_kwarg = "name", "version"

    @schema.model
    def get(self, request, version):
        return self.retrieve(request)


class ActivateView(APIView):
    """Serve a version from now on; any but the newest is pinned, until `manage.py models unpin`."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.activate
    def post(self, request, version):
        pointer = services.activate_version(name=version, who=describe_caller(request))
        return Response({"version": pointer.version, "pinned": pointer.is_pinned})


@extend_schema(exclude=True)
class ReportView(APIView):
    """Show the report of a version: a page without scripts, for people."""

    permission_classes = [require_scope(Scope.ADMIN)]

    def get(self, request, version):
        # The texts in it are strangers' words: sandboxed, and nothing but itself may be loaded.
        return HttpResponse(
            classifier.store.report(version),
            headers={"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"},
        )


class TrainView(APIView):
    """Queue a training, or join the one that is unfinished."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.train
    def post(self, request):
        run, _ = queue_training(who=describe_caller(request))
        return Response(
            TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED, headers={"Location": f"/train/{run.pk}"}
        )


class TrainingRunView(APIView):
    """Tell how far a training is, and its outcome."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.training_run
    def get(self, request, run):
        return Response(TrainingRunSerializer(get_object_or_404(TrainingRun, pk=run)).data)


class HealthView(APIView):
    """Tell that this process is up."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    @schema.healthz
    def get(self, request):
        return Response({"status": "ok"})


class ReadinessView(APIView):
    """Tell whether database, broker and model are there."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    @schema.readyz
    def get(self, request):
        parts = selectors.readiness()
        is_ready = all(state == "ok" for state in parts.values())
        return Response(parts, status=status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE)


@extend_schema(exclude=True)
class HomeView(APIView):
    """Show the page to try the service on."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    def get(self, request):
        response = render(request, "api/home.html", {"explains": settings.ENGINE == "encoder"})
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        return response
