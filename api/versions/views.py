"""The endpoints of scores, versions, trainings and withdrawals."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import classifier

from ..access.callers import describe_caller, describe_origin, get_caller
from ..access.permissions import Scope, has_scope, require_scope
from ..labels.models import Label
from ..labels.services import find_reviews_to_withdraw
from ..labels.suggestions import withdraw_suggestions
from ..verdicts.headers import name_version
from ..verdicts.services import open_budget, trace
from . import schema, selectors, services
from .influence import find_influential_reviews
from .models import ModelVersion
from .serializers import (
    HistoryEntrySerializer,
    InfluenceInputSerializer,
    InfluenceSerializer,
    TrainingRunSerializer,
    VersionDetailSerializer,
    VersionSerializer,
    WithdrawInputSerializer,
)
from .trainings import queue_training
from .withdrawals import withdraw_reviews


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


class InfluenceView(APIView):
    """Show which reviews moved the model's verdict on a text most, and by how much.

    A key reads its own reviews, a key with scope `admin` everybody's. Of the others it learns the effect, and what they say.
    """

    permission_classes = [require_scope(Scope.REVIEW)]
    serializer_class = InfluenceInputSerializer

    @schema.influence
    def post(self, request: Request) -> Response:
        serializer = InfluenceInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        text, limit = serializer.validated_data["tweet"], serializer.validated_data["limit"]
        prediction, influence = trace(text, get_caller(request), budget=open_budget(request))
        reviews = find_influential_reviews(influence, limit)
        may_read_all, key = has_scope(request, Scope.ADMIN), describe_origin(request)["key"]
        answer = {
            "version": prediction.version,
            "is_hate_speech": prediction.is_hate_speech,
            "probability": prediction.probability,
            "logit": influence.logit,
            "reviews": [
                {"effect": effect, "is_hate_speech": label.value}
                | (_describe_review(label) if may_read_all or label.key == key else {})
                for effect, label in reviews
            ],
            "missing": influence.n_missing,
        }
        return Response(InfluenceSerializer(answer).data, headers=name_version([prediction]))


def _describe_review(label: Label) -> dict[str, object]:
    return {"review": label.pk, "tweet": label.tweet.text, "key": label.key, "created_at": label.created_at}


class WithdrawView(APIView):
    """Withdraw the key's own reviews of a text; a key with scope `admin` withdraws everybody's.

    No answer uses them from now on. Within a minute the model is without them, and asks no longer whether that is for the better.
    The history keeps them, and the text can be reviewed again.
    """

    permission_classes = [require_scope(Scope.REVIEW)]
    serializer_class = WithdrawInputSerializer

    @schema.withdraw
    def post(self, request: Request) -> Response:
        serializer = WithdrawInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        text, review = (serializer.validated_data.get(field) for field in ("tweet", "review"))
        origin = describe_origin(request)
        labels = find_reviews_to_withdraw(text=text or "", review=review, may_all=has_scope(request, Scope.ADMIN), **origin)
        withdrawn = withdraw_reviews(labels, who=describe_caller(request))
        suggestions = withdraw_suggestions(text=text, key=origin["key"]) if text else 0
        if not withdrawn + suggestions:
            raise NotFound("There is no such review that this key may withdraw.")
        detail = "No answer uses it from now on. The model is without it within a minute." if withdrawn else "It waits no longer."
        return Response({"detail": detail, "withdrawn": withdrawn, "suggestions": suggestions})
