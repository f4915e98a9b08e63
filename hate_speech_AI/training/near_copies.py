"""Find near copies among texts: those that share most of their runs of letters.

A head that learned from a text judges its near copies well. That says nothing about texts that are new.
"""

import re
import unicodedata

import numpy as np

from ..arrays import Places

# The cosine of the sets of runs from which on two texts are near copies. Of two texts of ten words that differ in two, it is 0.7.
_LIKENESS = 0.7
_RUN = 4  # letters
_WIDTH = 512  # runs are hashed; the cosine of two texts is off by 0.04
_TEXTS_AT_ONCE = 1000
_NO_LETTERS = re.compile(r"[\W\d_]+")  # a number makes no other text


def number_near_copies(texts: list[str]) -> Places:
    """Return a number for each text: shape (len(texts),). Near copies share one.

    A text shares the number of the earlier text that is most like it, if that is a near copy. So a chain of them shares one too.
    The time is quadratic: 20,000 texts take some seconds.
    """
    numbers = np.arange(len(texts))
    if not len(texts):
        return numbers
    from sklearn.feature_extraction.text import HashingVectorizer  # not at the top: serving does not need it

    hasher = HashingVectorizer(
        analyzer="char_wb", ngram_range=(_RUN, _RUN), n_features=_WIDTH, binary=True, lowercase=False, dtype=np.float32
    )
    letters = [_NO_LETTERS.sub(" ", unicodedata.normalize("NFKC", text).casefold()) for text in texts]
    vectors = hasher.transform(letters).toarray()
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        stop = min(start + _TEXTS_AT_ONCE, len(texts))
        cosines = vectors[start:stop] @ vectors[:stop].T
        cosines[np.triu_indices(stop - start, start, stop)] = -1  # a text itself, and those that follow it
        nearest = cosines.argmax(1)
        for at in np.flatnonzero(cosines.max(1) >= _LIKENESS):
            numbers[start + at] = numbers[nearest[at]]
    return numbers
