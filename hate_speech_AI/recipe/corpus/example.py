"""A labelled text, and the labels that it may carry."""

from typing import NamedTuple

from ...labels import HATE, INSULT, PROFANITY, TARGETS, THREAT, TOXIC
from .targets import list_known_groups

# The labels of the head, in the order of its rows.
LABELS = (HATE, TOXIC, INSULT, THREAT, PROFANITY, *TARGETS)


class Example(NamedTuple):
    """A labelled text. A label is `None` where nobody says.

    Attributes
    ----------
    text, source : str
    split : str
        "fit": the weights learn from it; "head": the head does, and choices are made by it; "test": nothing does.
    hate : bool or None
    toxic : bool or None
        Hate or offensive.
    insult, threat, profanity : bool or None
    targets : frozenset of str, or None
        The groups that a hateful text attacks; empty for a harmless text.
    weight : float
        How much the labels of this text count, besides the weight of its source.
    """

    text: str
    source: str
    split: str
    hate: bool | None
    toxic: bool | None
    insult: bool | None = None
    threat: bool | None = None
    profanity: bool | None = None
    targets: frozenset[str] | None = None
    weight: float = 1.0

    def list_labels(self) -> list[bool | None]:
        """Return the labels in the order of `LABELS`.

        A source that never names a group says nothing of it, even of texts whose other targets are known.
        """
        known = () if self.targets is None else list_known_groups(self.source)
        groups = [group in self.targets if group in known else None for group in TARGETS]
        return [self.hate, self.toxic, self.insult, self.threat, self.profanity, *groups]
