"""Verdicts on a whole file, for commands."""

from django.core.management.base import CommandError
from tqdm import tqdm

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
            for at in tqdm(range(0, len(texts), _BATCH), desc="Judging", unit="k texts", leave=False)
            for prediction in judge(texts[at : at + _BATCH], caller=None, with_reviews=False)
        ]
    except HateSpeechError as error:
        raise CommandError(str(error)) from error
