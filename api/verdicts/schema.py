"""/predict in the OpenAPI schema."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer, extend_schema

from hate_speech_AI.labels import IMPLIES, MEANINGS, PRIMARY, TARGETS

from ..web.openapi import EXAMPLE_VERSION, NO_MODEL, POST_ERRORS, describe_invalid
from .serializers import PredictionSerializer, PredictionsSerializer

_VERDICT: dict[str, Any] = {
    "is_hate_speech": False,
    "probability": 0.04,
    "threshold": 0.31,
    "version": EXAMPLE_VERSION,
    "labels": dict.fromkeys(MEANINGS, 0.07) | {PRIMARY: 0.04},
    "uncertainty": 0.21,
}
_FLAGGED = {
    **_VERDICT,
    "is_hate_speech": True,
    "probability": 0.93,
    "labels": _VERDICT["labels"] | {PRIMARY: 0.93, **dict.fromkeys(IMPLIES[PRIMARY], 0.95)},
    "targets": [{"group": TARGETS[0], "probability": 0.97}],
}
_EXPLANATION = {
    "logit": -3.2,
    "bias": -0.9,
    "words": [
        {"word": "lovely", "start": 0, "end": 6, "contribution": -1.4},
        {"word": "day", "start": 7, "end": 10, "contribution": -0.9},
    ],
}


class TweetInputExtension(OpenApiSerializerExtension):
    """Says in the schema what the serializer's `validate` asks for: either of the two fields."""

    target_class = "api.verdicts.serializers.TweetInputSerializer"

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        schema["properties"]["tweets"]["minItems"] = 1
        return schema | {"oneOf": [{"required": ["tweet"]}, {"required": ["tweets"]}]}


predict = extend_schema(
    operation_id="predict",
    tags=["Prediction"],
    examples=[
        OpenApiExample("One text", value={"tweet": "What a lovely day in the park"}, request_only=True),
        OpenApiExample("Several texts", value={"tweets": ["What a lovely day", "See you soon"]}, request_only=True),
        OpenApiExample("With an explanation", value={"tweet": "lovely day", "explain": True}, request_only=True),
    ],
    responses={
        200: OpenApiResponse(
            PolymorphicProxySerializer(
                "PredictAnswer", serializers=[PredictionSerializer, PredictionsSerializer], resource_type_field_name=None
            ),
            "The verdict on `tweet`, or `results` with one verdict for each of `tweets`.",
            [
                OpenApiExample("One text", value=_VERDICT),
                OpenApiExample("A text that is hate", value=_FLAGGED),
                OpenApiExample("Several texts", value={"results": [_VERDICT, _VERDICT]}),
                OpenApiExample("With an explanation", value={**_VERDICT, "explanation": _EXPLANATION}),
            ],
        ),
        400: describe_invalid({"tweet": ["This field may not be blank."]}),
        **POST_ERRORS,
        **NO_MODEL,
    },
)
