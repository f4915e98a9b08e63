"""The one way to a verdict."""

from hate_speech_AI.core import Prediction, classifier

from ..access.callers import Caller


def judge(texts: list[str], caller: Caller | None, explain: bool = False, *, with_reviews: bool = True) -> list[Prediction]:
    """Return the verdicts on `texts`, in order, all by one version.

    Every route, dialect, queue and command asks here, so that what belongs to each verdict has one place.

    Parameters
    ----------
    texts : list of str
    caller : Caller or None
        Who asks, as in `request.auth`; `None` under open access, and for the service's own work.
    explain : bool
        Whether to explain each verdict. The explanation is the model's, also where a review gives the verdict.
    with_reviews : bool
        Whether a text that a person has reviewed is answered as reviewed. Without it the model alone answers.

    Raises
    ------
    ModelMissingError
        No version is active yet.
    NoExplanationError
        The engine cannot explain.
    HateSpeechError
        The active version cannot be loaded, and there was none before it.
    """
    # One snapshot: a version that becomes active meanwhile cannot explain what another one judged.
    return classifier.current().judge(texts, explain=explain, with_reviews=with_reviews)
