"""The endpoints of scores, versions and trainings."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import status
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import classifier

from ..access.callers import describe_caller
from ..access.permissions import Scope, require_scope
from . import schema, selectors, services
from .models import ModelVersion
from .serializers import (
    HistoryEntrySerializer,
    TrainingRunSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)
from .trainings import queue_training


class GetScoreView(APIView):
    """Show the active version's figures on held-out tweets."""

    permission_classes = [require_scope(Scope.PREDICT)]

    @schema.score
    def get(self, request: Request) -> Response:
        return Response(classifier.get_score())


class _VersionsView(GenericAPIView[ModelVersion]):
    """The shared half of the views of versions."""

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return selectors.list_versions()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "pointer": classifier.pointer()}


class ScoreHistoryView(_VersionsView, ListAPIView[ModelVersion]):
    """List the scores of all versions, newest first."""

    permission_classes = [require_scope(Scope.PREDICT)]

    @schema.score_history
    def get(self, request: Request) -> Response:
        active = classifier.store.active()
        page = self.paginate_queryset(self.get_queryset())
        entries = [
            {"version": version.name, **version.score, "outcome": version.outcome, "active": version.name == active}
            for version in page or ()
        ]
        return self.get_paginated_response(HistoryEntrySerializer(entries, many=True).data)


class ModelVersionsView(_VersionsView, ListAPIView[ModelVersion]):
    """List the versions, newest first."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = VersionSerializer

    @schema.models
    def get(self, request: Request) -> Response:
        return self.list(request)


class ModelVersionView(_VersionsView, RetrieveAPIView[ModelVersion]):
    """Show a version, with the gate's comparisons."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = VersionDetailSerializer
    lookup_field, lookup_url_kwarg = "name", "version"

    @schema.model
    def get(self, request: Request, version: str) -> Response:
        return self.retrieve(request)


class ActivateView(APIView):
    """Activate a version. Unless it is the newest, it stays pinned until `manage.py models unpin`."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.activate
    def post(self, request: Request, version: str) -> Response:
        pointer = services.activate_version(name=version, who=describe_caller(request))
        return Response({"version": pointer.version, "pinned": pointer.is_pinned})


class TrainView(APIView):
    """Queue a training, or return the unfinished one."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.train
    def post(self, request: Request) -> Response:
        run, _ = queue_training(who=describe_caller(request))
        location = reverse("training-run", args=[run.pk])
        return Response(TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})


class TrainingRunView(APIView):
    """Show the progress or outcome of a training."""

    permission_classes = [require_scope(Scope.ADMIN)]

    @schema.training_run
    def get(self, request: Request, run: int) -> Response:
        return Response(TrainingRunSerializer(get_object_or_404(selectors.list_runs(), pk=run)).data)
