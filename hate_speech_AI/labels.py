"""The labels: what each name means, and which labels follow from another.

A label is a name and a row of an engine's head. An engine says which labels it knows. Only this module knows what a name means.
The shipped encoder's head has a posterior for some labels, which reviews update. The other labels, and the targets, are rows of
weights that learn nothing: see `engines.encoder.shipped.Shipped.others`.
"""

from collections.abc import Mapping

import numpy as np

from .arrays import Floats

HATE, TOXIC, INSULT, THREAT, PROFANITY = "hate", "toxic", "insult", "threat", "profanity"
# In words, for people. These are the labels that a person can give a text.
MEANINGS = {
    HATE: "An attack on people for what they are.",
    TOXIC: "Hate or offensive; never less than hate.",
    INSULT: "Demeaning words about a person or a group.",
    THREAT: "A wish or an announcement that somebody comes to harm.",
    PROFANITY: "Swear words or obscene words, whatever they are aimed at.",
}
# The groups that a hateful text attacks. Only an engine says them.
TARGETS = (
    "women",
    "men",
    "muslims",
    "jews",
    "christians",
    "black people",
    "asian people",
    "arab people",
    "hispanic people",
    "indigenous people",
    "white people",
    "immigrants",  # and refugees
    "gay people",  # gay, lesbian and bisexual
    "trans people",
    "disabled people",
    "others",
)

# The label that a verdict is about. Every engine knows it.
PRIMARY = HATE
# The labels that people may give a text beside it.
SECONDARY = tuple(name for name in MEANINGS if name != PRIMARY)
# A text that carries a label carries these labels too. List all of them: nothing follows links from one entry to the next.
IMPLIES = {HATE: (TOXIC,), INSULT: (TOXIC,), THREAT: (TOXIC,)}
# In words, for whoever says otherwise.
IMPLIES_IN_WORDS = "Hate, insults and threats are toxic."
# Who gives a text this label most likely means these too. But they may say otherwise: a curse of joy is not toxic.
SUGGESTS = {PROFANITY: (TOXIC,)}


def infer_labels(label: str, value: bool) -> dict[str, bool]:
    """Return the labels that follow from one label of a text.

    A text that is hate is toxic. A text that is not toxic is not hate.
    """
    if value:
        return dict.fromkeys(IMPLIES.get(label, ()), True)
    return {other: False for other, implied in IMPLIES.items() if label in implied}


def list_teachers(label: str) -> list[str]:
    """Return the labels that teach another one where they say yes: they imply it, or suggest it.

    The primary label is not among them: `raise_implied` takes what it has learned as it is.
    """
    return [other for other in SECONDARY if label in IMPLIES.get(other, ()) + SUGGESTS.get(other, ())]


def complete_labels(said: Mapping[str, bool]) -> dict[str, bool]:
    """Return the labels that people gave a text, and those that follow or are suggested.

    A suggested label replaces no inferred one, and an inferred label no given one.
    """
    suggested = {other: True for label, value in said.items() if value for other in SUGGESTS.get(label, ())}
    inferred: dict[str, bool] = {}
    for label, value in said.items():
        inferred |= infer_labels(label, value)
    return suggested | inferred | dict(said)


def is_consistent(said: Mapping[str, bool]) -> bool:
    """Return whether no label contradicts what follows from another."""
    return all(said.get(other, implied) == implied for one in said.items() for other, implied in infer_labels(*one).items())


def raise_implied(probabilities: dict[str, Floats]) -> dict[str, Floats]:
    """Raise each probability to that of every label that implies it, in place, and return the dict.

    So toxic is never less probable than hate. Labels that are absent stay absent. Give it labels that learn only: what reviews
    taught one of them must not be overruled by weights that learn nothing.
    """
    for label, implied in IMPLIES.items():
        if label in probabilities:
            for other in implied:
                if other in probabilities:
                    probabilities[other] = np.maximum(probabilities[other], probabilities[label])
    return probabilities
