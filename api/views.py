"""The endpoints: serializer in, one call, serializer out."""

from django.shortcuts import render
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction, classifier

from . import schema, selectors, services
from .serializers import ReviewedTweetInputSerializer, TweetInputSerializer


def _as_json(prediction: Prediction) -> dict:
    # By hand: a serializer would double the cost of the request.
    return {
        "is_hate_speech": prediction.is_hate_speech,
        "probability": prediction.probability,
        "threshold": prediction.threshold,
        "version": prediction.version,
    }


class PredictHateSpeechView(GenericAPIView):
    """Judge one text, or up to 1,000."""

    permission_classes = [AllowAny]
    serializer_class = TweetInputSerializer
    # Built once, since validation keeps nothing in it: one built for each request copies its fields, which costs as much as
    # the prediction itself.
    _validate = staticmethod(TweetInputSerializer().run_validation)

    @schema.predict
    def post(self, request):
        texts = self._validate(request.data)
        if "tweet" in texts:
            return Response(_as_json(classifier.predict([texts["tweet"]])[0]))
        return Response({"results": [_as_json(p) for p in classifier.predict(texts["tweets"])]})


class AddReviewedTweetManuallyView(GenericAPIView):
    """Record what a person says of a text; the next training learns from it."""

    permission_classes = [AllowAny]
    serializer_class = ReviewedTweetInputSerializer

    @schema.reviewed
    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.add_review(text=serializer.validated_data["tweet"], is_hate_speech=serializer.validated_data["is_hate_speech"])
        return Response({"detail": "Tweet added to the database correctly"})


class GetScoreView(APIView):
    """Tell how good the active version is on tweets that it never learned from."""

    permission_classes = [AllowAny]

    @schema.score
    def get(self, request):
        return Response(classifier.get_score())


class HealthView(APIView):
    """Tell that this process is up."""

    permission_classes = [AllowAny]

    @schema.healthz
    def get(self, request):
        return Response({"status": "ok"})


class ReadinessView(APIView):
    """Tell whether database, broker and model are there."""

    permission_classes = [AllowAny]

    @schema.readyz
    def get(self, request):
        parts = selectors.readiness()
        is_ready = all(state == "ok" for state in parts.values())
        return Response(parts, status=status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE)


@extend_schema(exclude=True)
class HomeView(APIView):
    """Show the page to try the service on."""

    permission_classes = [AllowAny]

    def get(self, request):
        response = render(request, "api/home.html")
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        return response
