"""What an engine says of its reasons: the words of a text, and the reviews that it learned from."""

from dataclasses import dataclass
from typing import TypedDict

from ..arrays import Bools, Floats, Keys


class Word(TypedDict):
    """A word of a text, and what it adds to the logit. "start" and "end" (exclusive) count code points of the text."""

    word: str
    start: int
    end: int
    contribution: float


class Explanation(TypedDict):
    """Why a model judges a text as it does. "logit" is that of the first label: the sum of "bias" and all contributions."""

    logit: float
    bias: float
    words: list[Word]


@dataclass(frozen=True)
class Influence:
    """Which reviews moved the logit of a text, the strongest first.

    Attributes
    ----------
    logit : float
        The logit of the first label.
    keys : ndarray of uint64, shape (n, 2)
        Both halves of the first 128 bits of the fingerprint of each review.
    labels : ndarray of bool, shape (n,)
        What each review says.
    effects : ndarray of float64, shape (n,)
        How much lower the logit would be without this one review. They do not sum to anything.
    n_missing : int
        How many reviews are left out, because their embeddings are not at hand. The next training brings them.
    """

    logit: float
    keys: Keys
    labels: Bools
    effects: Floats
    n_missing: int
