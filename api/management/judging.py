"""Verdicts on a whole file, for commands."""

from django.core.management.base import CommandError

from api.management.progress import show_progress
from api.verdicts.services import judge
from hate_speech_AI.core import Prediction, classifier
from hate_speech_AI.errors import HateSpeechError

_BATCH = 1000


def judge_texts(texts: list[str], version: str | None = None) -> list[Prediction]:
    """Return the verdicts of a version's model on `texts`, without reviews; show a progress bar. By default the active version's.

    Raises
    ------
    CommandError
        The version cannot be served, or there is none of that name.
    """
    try:
        asked = classifier.store.load(version) if version else None
        return [
            prediction
            for at in show_progress(range(0, len(texts), _BATCH), desc="Judging", unit="k texts")
            for prediction in judge(texts[at : at + _BATCH], caller=None, with_reviews=False, version=asked)
        ]
    except HateSpeechError as error:
        raise CommandError(str(error)) from error
