"""Verdicts on a whole file, for commands."""

from django.core.management.base import CommandError

from api.management.progress import show_progress
from api.verdicts.services import judge
from hate_speech_AI.core import Prediction
from hate_speech_AI.errors import HateSpeechError

_BATCH = 1000


def judge_texts(texts: list[str]) -> list[Prediction]:
    """Return the model's verdicts on `texts`, without reviews; show a progress bar.

    Raises
    ------
    CommandError
        No version can be served.
    """
    try:
        return [
            prediction
            for at in show_progress(range(0, len(texts), _BATCH), desc="Judging", unit="k texts")
            for prediction in judge(texts[at : at + _BATCH], caller=None, with_reviews=False)
        ]
    except HateSpeechError as error:
        raise CommandError(str(error)) from error
