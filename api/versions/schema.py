"""Scores, versions and trainings in the OpenAPI schema."""

from drf_spectacular.utils import OpenApiExample, extend_schema

from ..web.openapi import (
    BODY_ERRORS,
    EXAMPLE_VERSION,
    KEYED,
    NO_DATABASE,
    NO_MODEL,
    PAGES,
    POST_ERRORS,
    describe_answer,
    describe_error,
    describe_invalid,
    describe_page,
)
from .serializers import (
    HistoryEntrySerializer,
    InfluenceSerializer,
    PointerSerializer,
    ScoreSerializer,
    TrainingRunSerializer,
    VersionDetailSerializer,
    VersionSerializer,
    WithdrawnSerializer,
)

_FIGURES = {
    "score": 0.75,
    "of": "held_out",
    "slices": {
        "held_out": {"f1": 0.75, "precision": 0.78, "recall": 0.72, "roc_auc": 0.96, "n": 6049},
        "shipped": {"f1": 0.77, "precision": 0.76, "recall": 0.78, "roc_auc": 0.91, "n": 7571},
    },
    "precision": 0.78,
    "recall": 0.72,
    "roc_auc": 0.96,
    "held_out": 6049,
    "trained_on": 23432,
}
_SCORE = {**_FIGURES, "trained_at": "2026-01-02T00:00:31+00:00"}

score = extend_schema(
    operation_id="score",
    tags=["Model"],
    responses={
        200: describe_answer(
            ScoreSerializer, "The active version's figures.", {**_SCORE, "version": EXAMPLE_VERSION, "pinned": False}
        ),
        **NO_MODEL,
        **KEYED,
    },
)

_ENTRY = {
    "version": EXAMPLE_VERSION,
    "created_at": "2026-01-02T00:00:31Z",
    "engine": "encoder",
    "outcome": "promoted",
    "active": True,
    "pinned": False,
    "pruned": False,
    "parent": "20260101T000029Z-0ddba115",
    "score": _SCORE,
    "reasons": [],
    "activations": [{"activated_at": "2026-01-02T00:00:33Z", "by": "gate"}],
    "set_aside": [{"source": "review", "key": "forum", "night": "2026-01-01", "labels": 12}],
    "withdrawn": [],
}
_CONDITION = {
    "kind": "functional_group",
    "subject": "threat",
    "candidate": 0.71,
    "rival": 0.7,
    "rival_version": "20260101T000029Z-0ddba115",
    "limit": 0.04,
    "interval": None,
    "passed": True,
}
_RUN = {
    "run": 7,
    "kind": "training",
    "stage": "fitting",
    "percent": 60,
    "outcome": "",
    "version": "",
    "error": "",
    "created_at": "2026-01-02T00:00:00Z",
    "finished_at": None,
    "set_aside": [],
}
_NO_VERSION = {404: describe_error("There is no such version. GET /models lists them.", "not_found")}

score_history = extend_schema(
    operation_id="score_history",
    tags=["Model"],
    parameters=PAGES,
    filters=False,
    responses=describe_page(
        HistoryEntrySerializer,
        "The scores of all versions, newest first.",
        {"version": EXAMPLE_VERSION, **_SCORE, "outcome": "promoted", "active": True},
    ),
)

models = extend_schema(
    operation_id="models",
    tags=["Model"],
    parameters=PAGES,
    responses=describe_page(VersionSerializer, "The versions, newest first.", _ENTRY),
)

model = extend_schema(
    operation_id="model",
    tags=["Model"],
    responses={
        200: describe_answer(
            VersionDetailSerializer,
            "The version.",
            {
                **_ENTRY,
                "gate": {"passed": True, "rival": _ENTRY["parent"], "conditions": [_CONDITION], "reasons": [], "slices": {}},
                "most_new_labels": [],
            },
        ),
        **_NO_VERSION,
        **NO_DATABASE,
        **KEYED,
    },
)

activate = extend_schema(
    operation_id="activate",
    tags=["Model"],
    request=None,
    responses={
        200: describe_answer(
            PointerSerializer,
            "The version is active; all processes follow within a second.",
            {"version": EXAMPLE_VERSION, "pinned": True},
        ),
        409: describe_error("The version cannot be served. The active version stays.", "version_unusable"),
        **BODY_ERRORS,
        **_NO_VERSION,
        **NO_DATABASE,
        **KEYED,
    },
)

train = extend_schema(
    operation_id="train",
    tags=["Model"],
    request=None,
    responses={
        202: describe_answer(
            TrainingRunSerializer,
            "The training is queued, or one was queued or running already.",
            {**_RUN, "stage": "queued", "percent": 0},
        ),
        **BODY_ERRORS,
        **NO_DATABASE,
        **KEYED,
    },
)

training_run = extend_schema(
    operation_id="training_run",
    tags=["Model"],
    responses={
        200: describe_answer(TrainingRunSerializer, "The progress or outcome of the training.", _RUN),
        404: describe_error("There is no such training.", "not_found"),
        **NO_DATABASE,
        **KEYED,
    },
)

influence = extend_schema(
    operation_id="influence",
    tags=["Review"],
    examples=[OpenApiExample("A text", value={"tweet": "Those people again", "limit": 5}, request_only=True)],
    responses={
        200: describe_answer(
            InfluenceSerializer,
            "The reviews that moved the verdict most, the strongest first.",
            {
                "version": EXAMPLE_VERSION,
                "is_hate_speech": False,
                "probability": 0.21,
                "logit": -1.32,
                "reviews": [
                    {
                        "effect": 0.34,
                        "is_hate_speech": True,
                        "review": 17,
                        "tweet": "Those people ruin it",
                        "key": "forum",
                        "created_at": "2026-01-01T10:15:00Z",
                    },
                    {"effect": -0.11, "is_hate_speech": False},
                ],
                "missing": 0,
            },
        ),
        400: describe_invalid({"limit": ["Ensure this value is less than or equal to 50."]}),
        **POST_ERRORS,
        503: NO_MODEL[503],
    },
)

withdraw = extend_schema(
    operation_id="withdraw",
    tags=["Review"],
    examples=[
        OpenApiExample("The reviews of a text", value={"tweet": "See you at the market"}, request_only=True),
        OpenApiExample("One review", value={"review": 17}, request_only=True),
    ],
    responses={
        200: describe_answer(
            WithdrawnSerializer,
            "The reviews are withdrawn.",
            {"detail": "No answer uses it from now on.", "withdrawn": 1, "suggestions": 0},
        ),
        400: describe_invalid({"tweet": ["Send either `tweet`, a text, or `review`, the number of a review."]}),
        404: describe_error("There is no such review that this key may withdraw.", "not_found"),
        **POST_ERRORS,
        **NO_DATABASE,
    },
)
