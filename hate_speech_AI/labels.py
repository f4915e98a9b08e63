"""What the names of labels mean, and what one label says of another.

A label is a name and a row of an engine's head: an engine says which labels it knows. Only this module knows what a name means.
"""

from collections.abc import Mapping

import numpy as np

HATE = "hate"
TOXIC = "toxic"
# In words, for people.
MEANINGS = {HATE: "An attack on people for what they are.", TOXIC: "Hate or offensive; never less than hate."}

# The label that a verdict is about. Every engine knows it.
PRIMARY = HATE
# What carries a label carries these labels too. List all of them: nothing follows links from one entry to the next.
IMPLIES = {HATE: (TOXIC,)}


def infer_labels(label: str, value: bool) -> dict[str, bool]:
    """Return what one label of a text says of its other labels.

    Who calls a text hate calls it toxic. Who calls it not toxic calls it not hate.
    """
    if value:
        return dict.fromkeys(IMPLIES.get(label, ()), True)
    return {other: False for other, implied in IMPLIES.items() if label in implied}


def complete_labels(said: Mapping[str, bool]) -> dict[str, bool]:
    """Return what people said of a text, completed by what follows from it; an inferred label replaces none that was said."""
    inferred: dict[str, bool] = {}
    for label, value in said.items():
        inferred |= infer_labels(label, value)
    return inferred | dict(said)


def raise_implied(probabilities: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the probabilities with none lower than that of a label that implies it; labels that are absent stay absent."""
    for label, implied in IMPLIES.items():
        if label in probabilities:
            for other in implied:
                if other in probabilities:
                    probabilities[other] = np.maximum(probabilities[other], probabilities[label])
    return probabilities
