"""`POST /v1/moderations`, as OpenAI's clients send it.

`hate` is this service's label `hate`. `harassment` is `toxic` without hate. The other eleven categories are not scored: they are
0.0, with no input type applied.
"""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hate_speech_AI.core import Prediction
from hate_speech_AI.labels import TOXIC

from ..access.callers import get_caller
from ..access.permissions import Scope, require_scope
from ..verdicts.services import judge
from ..web.fields import MAX_TWEETS
from ..web.parsers import StrictJSONParser
from .errors import CompatError
from .texts import MAX_BYTES, has_invalid_characters, is_too_long, read_fields

CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_MODEL = "omni-moderation-latest"
# `toxic` has no threshold of its own, so: more likely than not.
_HARASSMENT_FROM = 0.5


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
        results = [_write_result(prediction) for prediction in judge(texts, get_caller(request), is_request=True)]
        return Response({"id": f"modr-{uuid.uuid4().hex}", "model": model, "results": results})


def _make_error(message: str, code: str, param: str = "input") -> CompatError:
    return CompatError(message, code, {"param": param})


def _read_texts(given: object) -> list[str]:
    """Return the texts to judge, one for each result."""
    if isinstance(given, str):
        texts = [given]
    elif isinstance(given, list) and given and all(isinstance(item, str) for item in given):
        texts = given
    elif isinstance(given, list) and given and all(isinstance(item, dict) for item in given):
        texts = ["\n".join(map(_read_part, given))]
    else:
        code = "missing_required_parameter" if given is None else "invalid_type"
        raise _make_error("`input` must be a string, a list of strings, or a list of parts of type `text`; not empty.", code)
    if len(texts) > MAX_TWEETS:
        raise _make_error(f"`input` may have {MAX_TWEETS:,} texts at most.", "array_above_max_length")
    for place, text in enumerate(texts):
        if is_too_long(text):
            raise _make_error(f"Text {place} of `input` is over {MAX_BYTES:,} bytes.", "string_above_max_length")
        if has_invalid_characters(text):
            raise _make_error(f"Text {place} of `input` holds NUL or half of a surrogate pair.", "invalid_string")
    return texts


def _read_part(part: dict[str, object]) -> str:
    text = part.get("text")
    if part.get("type") == "text" and isinstance(text, str):
        return text
    if part.get("type") == "image_url":
        raise _make_error("Images are not judged here. Send the text parts alone.", "unsupported_image")
    raise _make_error("A part of `input` must be {'type': 'text', 'text': '...'}.", "invalid_type")


def _write_result(prediction: Prediction) -> dict[str, object]:
    hate, scores, flags = prediction.probability, dict.fromkeys(CATEGORIES, 0.0), dict.fromkeys(CATEGORIES, False)
    applied: dict[str, list[str]] = {name: [] for name in CATEGORIES}
    scores["hate"], flags["hate"], applied["hate"] = hate, prediction.is_hate_speech, ["text"]
    if TOXIC in prediction.labels:
        harassment = max(0.0, prediction.labels[TOXIC] - hate)
        scores["harassment"], flags["harassment"], applied["harassment"] = harassment, harassment >= _HARASSMENT_FROM, ["text"]
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": applied,
    }
