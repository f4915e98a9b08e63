"""Choose short hateful clauses of labelled rows, to be quoted."""

import re
from collections import defaultdict
from collections.abc import Iterable

from ...text import fingerprint
from ..corpus import Example
from .vocabulary import read_groups

# Sets whose labels are good enough to be quoted: trained annotators, and whole sentences.
SOURCES = frozenset(("dynahate", "toxigen", "wiegand"))
_WORDS = range(4, 15)
_OF_EACH = {"fit": 500, "head": 120, "test": 120}
_FINITE = re.compile(
    r"\b(?:am|is|are|was|were|be|has|have|had|do|does|did|don't|doesn't|can|can't|cannot|could|should|shouldn't|will|won't"
    r"|would|must|need|needs|deserve|belong|ruin|hate|make|makes|think|want|know|live|cause|steal|destroy)\b",
    re.IGNORECASE,
)
# Letters, figures and plain punctuation in one sentence: nothing that would break a quotation.
_PLAIN = re.compile(r"[A-Za-z0-9 ,;'’-]+[.!]?")
# What would turn around inside a frame: the speaker, somebody else's words, a negation that is far from its verb.
_TURNING = re.compile(
    r"\b(?:i|i'm|i've|me|my|said|says|say|think|called|told|people who|anyone who|nobody|no one|if)\b", re.IGNORECASE
)


def choose_clauses(rows: Iterable[Example]) -> dict[str, list[Example]]:
    """Return up to some hundred clauses of each split, by split. The order of `rows` does not matter."""
    chosen = defaultdict(dict)
    for row in rows:
        if row.source in SOURCES and row.hate and _is_clause(row.text):
            chosen[row.split][fingerprint(row.text)] = row._replace(text=row.text.rstrip(".!"))
    return {split: [found[key] for key in sorted(found)[: _OF_EACH[split]]] for split, found in chosen.items()}


def _is_clause(text: str) -> bool:
    """Return whether `text` is one plain sentence of a few words with a finite verb that names a group."""
    return (
        len(text.split()) in _WORDS
        and _PLAIN.fullmatch(text) is not None
        and _FINITE.search(text) is not None
        and _TURNING.search(text) is None
        and _NAMES.search(text) is not None
    )


def _list_names() -> list[str]:
    named = {name for group in read_groups() for name in (*group.plural, *group.singular)}
    return sorted({re.sub(r"^(?:an?|the) ", "", name) for name in named})


_NAMES = re.compile(rf"\b(?:{'|'.join(map(re.escape, _list_names()))})\b", re.IGNORECASE)
