"""The one way to a verdict."""

from hate_speech_AI.core import Prediction, classifier

from ..access.callers import Caller


def judge(texts: list[str], caller: Caller | None, explain: bool = False, *, with_reviews: bool = True) -> list[Prediction]:
    """Return the verdicts on `texts`, in order, all by one version.

    Every route, dialect, queue and command calls this: what every verdict needs belongs here.

    Parameters
    ----------
    texts : list of str
    caller : Caller or None
        The caller of the request; `None` under open access, and for the service's own work.
    explain : bool
        Explain each verdict. The explanation is the model's, even if a review gives the verdict.
    with_reviews : bool
        Answer a text that a person has reviewed as reviewed. Otherwise the model alone answers.

    Raises
    ------
    ModelMissingError
        No version is active yet.
    NoExplanationError
        The engine cannot explain.
    HateSpeechError
        The active version cannot be loaded, and there was none before it.
    """
    # One snapshot: if another version becomes active meanwhile, it must not explain the verdicts of this one.
    return classifier.current().judge(texts, explain=explain, with_reviews=with_reviews)
