"""The labels: what each name means, and which labels follow from another.

A label is a name and a row of an engine's head. An engine says which labels it knows. Only this module knows what a name means.
"""

from collections.abc import Mapping

import numpy as np

from .arrays import Floats

HATE = "hate"
TOXIC = "toxic"
# In words, for people.
MEANINGS = {HATE: "An attack on people for what they are.", TOXIC: "Hate or offensive; never less than hate."}

# The label that a verdict is about. Every engine knows it.
PRIMARY = HATE
# A text that carries a label carries these labels too. List all of them: nothing follows links from one entry to the next.
IMPLIES = {HATE: (TOXIC,)}


def infer_labels(label: str, value: bool) -> dict[str, bool]:
    """Return the labels that follow from one label of a text.

    A text that is hate is toxic. A text that is not toxic is not hate.
    """
    if value:
        return dict.fromkeys(IMPLIES.get(label, ()), True)
    return {other: False for other, implied in IMPLIES.items() if label in implied}


def complete_labels(said: Mapping[str, bool]) -> dict[str, bool]:
    """Return the labels that people gave a text, and those that follow. An inferred label never replaces a given one."""
    inferred: dict[str, bool] = {}
    for label, value in said.items():
        inferred |= infer_labels(label, value)
    return inferred | dict(said)


def is_consistent(said: Mapping[str, bool]) -> bool:
    """Return whether no label contradicts what follows from another."""
    return all(said.get(other, implied) == implied for one in said.items() for other, implied in infer_labels(*one).items())


def raise_implied(probabilities: dict[str, Floats]) -> dict[str, Floats]:
    """Raise each probability to that of every label that implies it, in place, and return the dict.

    So toxic is never less probable than hate. Labels that are absent stay absent.
    """
    for label, implied in IMPLIES.items():
        if label in probabilities:
            for other in implied:
                if other in probabilities:
                    probabilities[other] = np.maximum(probabilities[other], probabilities[label])
    return probabilities
