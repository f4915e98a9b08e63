"""The endpoints: serializer in, one call, serializer out."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech.tasks import queue_training
from hate_speech_AI.core import Prediction, classifier

from . import schema, selectors, services
from .authentication import brought_by, who
from .models import TrainingRun
from .permissions import needs
from .serializers import (
    HistoryEntrySerializer,
    ReviewedTweetInputSerializer,
    TrainingRunSerializer,
    TweetInputSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)


def _as_json(prediction: Prediction) -> dict:
    # By hand: a serializer would double the cost of the request.
    answer = {
        "is_hate_speech": prediction.is_hate_speech,
        "probability": prediction.probability,
        "threshold": prediction.threshold,
        "version": prediction.version,
        "labels": prediction.labels,
    }
    if prediction.uncertainty is not None:
        answer["uncertainty"] = prediction.uncertainty
    if prediction.is_reviewed:
        answer["source"] = "review"
    return answer


def _with_explanation(answer: dict, explanation: dict) -> dict:
    if "source" in answer:
        explanation["source"] = "model"
    return {**answer, "explanation": explanation}


class PredictHateSpeechView(GenericAPIView):
    """Judge one text, or up to 1,000."""

    permission_classes = [needs("predict")]
    serializer_class = TweetInputSerializer
    # Built once, since validation keeps nothing in it: one built for each request copies its fields, which costs as much as
    # the prediction itself.
    _validate = staticmethod(TweetInputSerializer().run_validation)

    @schema.predict
    def post(self, request):
        asked = self._validate(request.data)
        texts = asked.get("tweets") or [asked["tweet"]]
        answers = [_as_json(prediction) for prediction in classifier.predict(texts)]
        if asked["explain"]:
            answers = list(map(_with_explanation, answers, classifier.explain(texts)))
        return Response({"results": answers} if "tweets" in asked else answers[0])


class AddReviewedTweetManuallyView(GenericAPIView):
    """Record what a person says of a text; the next training learns from it."""

    permission_classes = [needs("review")]
    serializer_class = ReviewedTweetInputSerializer

    @schema.reviewed
    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said = {"text": serializer.validated_data["tweet"], "is_hate_speech": serializer.validated_data["is_hate_speech"]}
        services.add_review(**said, **brought_by(request))
        if request.auth and not request.auth.is_trusted:
            return Response({"detail": "Kept for a moderator to accept"})
        return Response({"detail": "Tweet added to the database correctly"})


class GetScoreView(APIView):
    """Tell how good the active version is on tweets that it never learned from."""

    permission_classes = [needs("predict")]

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

    permission_classes = [needs("predict")]
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

    permission_classes = [needs("predict")]
    serializer_class = VersionSerializer

    @schema.models
    def get(self, request):
        return self.list(request)


class ModelVersionView(_OfVersions, RetrieveAPIView):
    """Show one version, with every comparison of the gate."""

    permission_classes = [needs("predict")]
    serializer_class = VersionDetailSerializer
    lookup_field, lookup_url_kwarg = "name", "version"

    @schema.model
    def get(self, request, version):
        return self.retrieve(request)


class ActivateView(APIView):
    """Serve a version from now on; any but the newest is pinned, until `manage.py models unpin`."""

    permission_classes = [needs("admin")]

    @schema.activate
    def post(self, request, version):
        pointer = services.activate_version(name=version, who=who(request))
        return Response({"version": pointer.version, "pinned": pointer.is_pinned})


@extend_schema(exclude=True)
class ReportView(APIView):
    """Show the report of a version: a page without scripts, for people."""

    permission_classes = [needs("admin")]

    def get(self, request, version):
        # The texts in it are strangers' words: sandboxed, and nothing but itself may be loaded.
        return HttpResponse(
            classifier.store.report(version),
            headers={"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"},
        )


class TrainView(APIView):
    """Queue a training, or join the one that is unfinished."""

    permission_classes = [needs("admin")]

    @schema.train
    def post(self, request):
        run, _ = queue_training(who=who(request))
        return Response(
            TrainingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED, headers={"Location": f"/train/{run.pk}"}
        )


class TrainingRunView(APIView):
    """Tell how far a training is, and its outcome."""

    permission_classes = [needs("admin")]

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
        response = render(request, "api/home.html", {"explains": classifier.store.engine.can_explain})
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        return response
