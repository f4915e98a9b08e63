"""/reviewed in the OpenAPI schema."""

from drf_spectacular.utils import OpenApiExample, extend_schema

from hate_speech_AI.labels import INSULT

from ..web.openapi import NO_DATABASE, POST_ERRORS, DetailSerializer, describe_answer, describe_invalid

reviewed = extend_schema(
    operation_id="reviewed",
    tags=["Review"],
    examples=[
        OpenApiExample("A review", value={"tweet": "What a lovely day", "is_hate_speech": False}, request_only=True),
        OpenApiExample(
            "With other labels",
            value={"tweet": "You fool", "is_hate_speech": False, "labels": {INSULT: True}},
            request_only=True,
        ),
    ],
    responses={
        200: describe_answer(DetailSerializer, "The review is stored.", {"detail": "Tweet added to the database correctly"}),
        400: describe_invalid({"is_hate_speech": ["This field is required."]}),
        **POST_ERRORS,
        **NO_DATABASE,
    },
)
