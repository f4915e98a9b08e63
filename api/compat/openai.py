"""`POST /v1/moderations` and `GET /v1/models`, as OpenAI's clients send them.

`hate` is this service's label `hate`. `harassment` is `toxic` without hate. What of either is a threat is its category
`/threatening`. The other nine categories are not scored: they are 0.0, with no input type applied. So is what the engine does not
know.
"""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction
from hate_speech_AI.labels import THREAT, TOXIC

from ..access.callers import get_caller
from ..access.permissions import Scope, require_scope
from ..verdicts.headers import name_version
from ..verdicts.services import judge, open_budget
from ..web.fields import MAX_CHARACTERS_TOGETHER, MAX_TWEETS
from ..web.parsers import StrictJSONParser
from .errors import CompatError
from .texts import read_fields

CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_MODEL = "omni-moderation-latest"
# The names that OpenAI's clients know, with the times of their releases. All are answered by the active version.
MODELS = {
    _MODEL: 1731689265,
    "omni-moderation-2024-09-26": 1727389042,
    "text-moderation-latest": 1687223168,
    "text-moderation-stable": 1687223168,
}
# Labels but the primary have no threshold of their own, so: more likely than not.
_FLAGGED_FROM = 0.5


@extend_schema(exclude=True)
class ModerationsView(APIView):
    """Moderate a text, several, or the text parts of one message."""

    permission_classes = [require_scope(Scope.PREDICT)]
    parser_classes = [StrictJSONParser]

    def post(self, request: Request) -> Response:
        fields = read_fields(request.data)
        texts = _read_texts(fields.get("input"))
        model = fields.get("model", _MODEL)
        if not isinstance(model, str):
            raise _make_error("`model` must be a string.", "invalid_type", "model")
        predictions = judge(texts, get_caller(request), budget=open_budget(request))
        results = [_write_result(prediction) for prediction in predictions]
        answer = {"id": f"modr-{uuid.uuid4().hex}", "model": model, "results": results}
        return Response(answer, headers=name_version(predictions))


@extend_schema(exclude=True)
class ModelsView(APIView):
    """List the names of models that `/v1/moderations` is asked for."""

    permission_classes = [require_scope(Scope.PREDICT)]

    def get(self, request: Request) -> Response:
        return Response({"object": "list", "data": [_write_model(name) for name in MODELS]})


@extend_schema(exclude=True)
class ModelView(APIView):
    """Show one of them."""

    permission_classes = [require_scope(Scope.PREDICT)]

    def get(self, request: Request, model: str) -> Response:
        if model not in MODELS:
            raise UnknownModelError(model)
        return Response(_write_model(model))


class UnknownModelError(CompatError):
    """There is no model of this name."""

    status_code = 404

    def __init__(self, model: str):
        super().__init__(f"The model '{model}' does not exist. GET /v1/models lists them.", "model_not_found", {"param": "model"})


def _write_model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": MODELS[name], "owned_by": "system"}


def _make_error(message: str, code: str, param: str = "input") -> CompatError:
    return CompatError(message, code, {"param": param})


def _read_texts(given: object) -> list[str]:
    """Return the texts to judge, one for each result."""
    if isinstance(given, list) and len(given) > MAX_TWEETS:
        raise _make_error(f"`input` may have {MAX_TWEETS:,} items at most.", "array_above_max_length")
    if isinstance(given, str):
        texts = [given]
    elif isinstance(given, list) and given and all(isinstance(item, str) for item in given):
        texts = given
    elif isinstance(given, list) and given and all(isinstance(item, dict) for item in given):
        texts = ["\n".join(map(_read_part, given))]
    else:
        code = "missing_required_parameter" if given is None else "invalid_type"
        raise _make_error("`input` must be a string, a list of strings, or a list of parts of type `text`; not empty.", code)
    if sum(map(len, texts)) > MAX_CHARACTERS_TOGETHER:
        raise _make_error(f"`input` may have {MAX_CHARACTERS_TOGETHER:,} characters at most.", "string_above_max_length")
    return texts


def _read_part(part: dict[str, object]) -> str:
    text = part.get("text")
    if part.get("type") == "text" and isinstance(text, str):
        return text
    if part.get("type") == "image_url":
        raise _make_error("Images are not judged here. Send the text parts alone.", "unsupported_image")
    raise _make_error("A part of `input` must be {'type': 'text', 'text': '...'}.", "invalid_type")


def _write_result(prediction: Prediction) -> dict[str, object]:
    scored = _score(prediction)
    categories = {name: name in scored and scored[name][1] for name in CATEGORIES}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": {name: scored[name][0] if name in scored else 0.0 for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] if name in scored else [] for name in CATEGORIES},
    }


def _score(prediction: Prediction) -> dict[str, tuple[float, bool]]:
    """Return the score of each category that the engine knows, and whether it is flagged.

    Hate is toxic, and so is a threat. So the difference of two probabilities is that of one without the other, and the smaller
    one bounds that of both.
    """
    hate, toxic, threat = prediction.probability, prediction.labels.get(TOXIC), prediction.labels.get(THREAT)
    scored = {"hate": (hate, prediction.is_hate_speech)}
    if toxic is not None:
        harassment = max(0.0, toxic - hate)
        scored["harassment"] = harassment, harassment >= _FLAGGED_FROM
    if threat is not None:
        scored["hate/threatening"] = min(hate, threat), prediction.is_hate_speech and threat >= _FLAGGED_FROM
    if toxic is not None and threat is not None:
        threatening = max(0.0, min(toxic, threat) - hate)
        scored["harassment/threatening"] = threatening, threatening >= _FLAGGED_FROM
    return scored
