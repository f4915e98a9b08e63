"""Which windows of a very long text to read: the first, the last, and the most suspicious.

Suspicion must cost little beside the encoder, and only for such texts. So it is a sum over tokens, and the weight of a token is
what the starter tweets say: how much more often it stands in hate. That tells hate from everyday language, not from talk about
hate. A table of the encoder's verdicts on each token alone did no better, and would have to be made anew with each encoder.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...arrays import Floats

_STARTER_TWEETS = Path(__file__).parents[2] / "data" / "train.csv"
_PRIOR_COUNT = 0.5  # in each class, so that a token without tweets weighs nothing

Bounds = list[tuple[int, int]]


class Suspicion:
    """The suspicion of parts of texts.

    Parameters
    ----------
    tokenise : callable
        Returns the token ids of a text.
    n_tokens : int
        The size of the vocabulary.
    """

    def __init__(self, tokenise: Callable[[str], list[int]], n_tokens: int):
        counts = np.full((2, n_tokens), _PRIOR_COUNT)
        with _STARTER_TWEETS.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                counts[int(row["label"]), list(set(tokenise(row["tweet"])))] += 1
        harmless, hateful = np.log(counts)
        # Squared, since one clear word tells more than many vague ones.
        self._weights: Floats = np.maximum(hateful - harmless, 0) ** 2

    def choose(self, ids: list[int], bounds: Bounds, count: int) -> Bounds:
        """Return the first of `bounds`, the last, and the most suspicious of the others: `count` in all, in order.

        Parameters
        ----------
        ids : list of int
            The tokens of a text.
        bounds : list of (int, int)
            Where each window begins and ends in `ids`.
        """
        before = np.concatenate([[0], np.cumsum(self._weights[ids])])
        starts, ends = np.array(bounds).T
        sums = before[ends] - before[starts]
        sums[[0, -1]] = np.inf
        places = np.sort(np.argsort(-sums, kind="stable")[:count])
        return [bounds[at] for at in places]
