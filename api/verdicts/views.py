"""The endpoint /predict."""

import json

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction
from hate_speech_AI.text.language import SUPPORTED

from ..access.callers import get_caller
from ..access.permissions import Scope, require_scope
from . import schema
from .headers import name_version
from .serializers import TweetInputSerializer, validate_predict_request
from .services import judge, open_budget

# As DRF's renderer writes JSON.
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class PredictHateSpeechView(APIView):
    """Judge one text, or up to 1,000."""

    permission_classes = [require_scope(Scope.PREDICT)]
    serializer_class = TweetInputSerializer

    @schema.predict
    def post(self, request: Request) -> HttpResponse:
        fields = validate_predict_request(request.data)
        texts = fields.get("tweets") or [fields["tweet"]]
        predictions = judge(texts, get_caller(request), fields["explain"], budget=open_budget(request))
        answers = [_write_prediction(prediction) for prediction in predictions]
        body = _encode_json({"results": answers} if "tweets" in fields else answers[0])
        # Not DRF's `Response`, which is a template's: to build and render one costs a fifteenth of the request.
        return HttpResponse(body, content_type="application/json", headers=name_version(predictions))


def _write_prediction(prediction: Prediction) -> dict[str, object]:
    # Without a serializer, which would double the cost of the request.
    answer: dict[str, object] = {
        "is_hate_speech": prediction.is_hate_speech,
        "probability": prediction.probability,
        "threshold": prediction.threshold,
        "version": prediction.version,
        "labels": prediction.labels,
    }
    if prediction.is_hate_speech and prediction.targets is not None:
        by_probability = sorted(prediction.targets.items(), key=lambda one: -one[1])
        answer["targets"] = [{"group": group, "probability": probability} for group, probability in by_probability]
    if prediction.uncertainty is not None:
        answer["uncertainty"] = prediction.uncertainty
    if prediction.is_truncated:
        answer["truncated"] = True
    if prediction.is_reviewed:
        answer["source"] = "review"
    if prediction.language != SUPPORTED:
        answer["language"], answer["language_supported"] = prediction.language, False
    if prediction.explanation is not None:
        # The explanation is the model's, even if a review gave the verdict.
        answer["explanation"] = (
            {**prediction.explanation, "source": "model"} if prediction.is_reviewed else prediction.explanation
        )
    return answer
