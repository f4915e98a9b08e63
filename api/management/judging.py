"""How commands ask for the verdicts on a whole file."""

from django.core.management.base import CommandError
from tqdm import tqdm

from api.verdicts.services import Verdict, judge
from hate_speech_AI.errors import HateSpeechError

_BATCH = 1000


def judge_texts(texts: list[str]) -> list[Verdict]:
    """Return what the model alone says of `texts`, reviews apart, with a progress bar.

    Raises
    ------
    CommandError
        No version can be served.
    """
    try:
        return [
            verdict
            for at in tqdm(range(0, len(texts), _BATCH), desc="Judging", unit="k texts", leave=False)
            for verdict in judge(texts[at : at + _BATCH], caller=None, with_reviews=False)
        ]
    except HateSpeechError as error:
        raise CommandError(str(error)) from error
