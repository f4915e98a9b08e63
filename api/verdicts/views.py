"""The endpoint of verdicts."""

from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from ..access.permissions import Scope, require_scope
from . import schema
from .serializers import TweetInputSerializer, validate_predict_request
from .services import Verdict, judge


class PredictHateSpeechView(GenericAPIView):
    """Judge one text, or up to 1,000."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = TweetInputSerializer

    @schema.predict
    def post(self, request):
        asked = validate_predict_request(request.data)
        texts = asked.get("tweets") or [asked["tweet"]]
        answers = [_as_json(verdict) for verdict in judge(texts, request.auth, asked["explain"])]
        return Response({"results": answers} if "tweets" in asked else answers[0])


def _as_json(verdict: Verdict) -> dict:
    # By hand: a serializer would double the cost of the request.
    answer = {
        "is_hate_speech": verdict.is_hate_speech,
        "probability": verdict.probability,
        "threshold": verdict.threshold,
        "version": verdict.version,
        "labels": {"hate": verdict.probability},
    }
    if verdict.toxic is not None:
        answer["labels"]["toxic"] = verdict.toxic
        answer["uncertainty"] = verdict.uncertainty
    if verdict.is_reviewed:
        answer["source"] = "review"
    if verdict.explanation is not None:
        # Where a review answers, this is still what the model thinks.
        answer["explanation"] = {**verdict.explanation, "source": "model"} if verdict.is_reviewed else verdict.explanation
    return answer
