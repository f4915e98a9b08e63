"""The endpoint of verdicts."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..access.callers import get_caller
from ..access.permissions import Scope, require_scope
from . import schema
from .serializers import TweetInputSerializer, validate_predict_request
from .services import Verdict, judge


class PredictHateSpeechView(APIView):
    """Judge one text, or up to 1,000."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = TweetInputSerializer

    @schema.predict
    def post(self, request: Request) -> Response:
        asked = validate_predict_request(request.data)
        texts = asked.get("tweets") or [asked["tweet"]]
        answers = [_as_json(verdict) for verdict in judge(texts, get_caller(request), asked["explain"])]
        return Response({"results": answers} if "tweets" in asked else answers[0])


def _as_json(verdict: Verdict) -> dict[str, object]:
    # By hand: a serializer would double the cost of the request.
    labels = {"hate": verdict.probability}
    answer: dict[str, object] = {
        "is_hate_speech": verdict.is_hate_speech,
        "probability": verdict.probability,
        "threshold": verdict.threshold,
        "version": verdict.version,
        "labels": labels,
    }
    if verdict.toxic is not None:
        labels["toxic"] = verdict.toxic
        answer["uncertainty"] = verdict.uncertainty
    if verdict.is_reviewed:
        answer["source"] = "review"
    if verdict.explanation is not None:
        # Where a review answers, this is still what the model thinks.
        answer["explanation"] = {**verdict.explanation, "source": "model"} if verdict.is_reviewed else verdict.explanation
    return answer
