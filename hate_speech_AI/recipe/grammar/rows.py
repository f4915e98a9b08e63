"""Fill the frames: the labelled rows of the grammar, the same on every run."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable

from ...text import fingerprint
from ..corpus import Example
from .clauses import choose_clauses
from .vocabulary import Frame, Group, Statement, read_frames, read_groups, read_statements, read_words

SOURCE = "grammar"
# Made-up texts are plain, and there are many of each form. So each counts little.
WEIGHT = 0.3
# The rows that are wanted of each form: hateful, harmless. Frames without slots yield fewer.
FORMS = {
    "question": (900, 900),
    "quoted": (800, 800),
    "disowned": (500, 500),
    "predicate": (800, 1300),
    "opinion": (600, 900),
    "self": (500, 800),
    "idiom": (500, 900),
    "insult": (0, 2400),
    "emoji": (550, 550),
    "implied": (600, 700),
    "threat": (600, 600),
    "comparative": (500, 500),
    "polite": (500, 500),
    "clause": (700, 700),
}
_SLOT = re.compile(r"\{(\w+)\}")
_GROUP_SLOTS = frozenset(("they", "one", "adj", "isadj", "flag", "claim"))
_SENTENCE = re.compile(r"([.!?] )([a-z])")
_VOWEL = re.compile(r"\b([Aa]) (?=[aeiouAEIOU](?!u?ni|se))")
_TRIES = 4  # per row that is wanted: two fillings of a frame may be the same


def make_rows(rows: Iterable[Example]) -> list[Example]:
    """Return the rows of the grammar, in an order and with texts that depend on its files and on `rows` alone.

    Parameters
    ----------
    rows : iterable of Example
        What `read_corpus` returns. Short hateful rows are quoted, with rebuke and with assent, each in its own split only.
    """
    clauses = choose_clauses(rows)
    counts = Counter((frame.form, frame.is_hate) for frame in read_frames())
    dealt: dict[tuple[str, bool], Counter[Group]] = {}
    made: dict[str, Example] = {}
    for frame in read_frames():
        wanted = -(-FORMS[frame.form][not frame.is_hate] // counts[frame.form, frame.is_hate])
        filler = _Filler(frame, dealt.setdefault((frame.form, frame.is_hate), Counter()), clauses.get(frame.split, []))
        for example in filler.fill(wanted):
            made.setdefault(fingerprint(example.text), example)
    return list(made.values())


class _Filler:
    """Fills one frame. Groups that were dealt least are dealt next, so all stand equally often on both sides of a form."""

    def __init__(self, frame: Frame, dealt: Counter[Group], clauses: list[Example]):
        self.frame, self.dealt, self.clauses = frame, dealt, clauses
        self.draw = random.Random(frame.text)  # noqa: S311 - no secret
        self.slots = set(_SLOT.findall(frame.text))
        self.groups = [group for group in read_groups() if self._fits(group)]

    def fill(self, wanted: int) -> list[Example]:
        """Return at most `wanted` different rows."""
        made: dict[str, Example] = {}
        if "clause" in self.slots and not self.clauses:
            return []
        for _ in range(wanted * _TRIES):
            if len(made) == wanted:
                break
            example = self._fill_once()
            if example.text.lower() not in made:
                made[example.text.lower()] = example
        return list(made.values())

    def _fits(self, group: Group) -> bool:
        return (
            group.kind not in self.frame.without
            and (group.predicative or "isadj" not in self.slots)
            and (bool(group.emoji) or "flag" not in self.slots)
        )

    def _fill_once(self) -> Example:
        group, other = self._pick_groups()
        clause = self.draw.choice(self.clauses) if "clause" in self.slots else None
        words = self._name(group) | {"they2": self.draw.choice(other.plural), "clause": clause.text if clause else ""}
        for slot in sorted(self.slots - words.keys()):
            words[slot] = self._word(slot, words)
        text = _SLOT.sub(lambda slot: words[slot[1]], self.frame.text)
        hate, toxic, insult, threat, profanity = self.frame.labels.values()
        attacked = clause.targets if clause else group.targets
        if clause:  # Nobody said what else it is.
            threat, profanity = None if hate else threat, None
        return Example(
            text=self._style(_VOWEL.sub(r"\1n ", text)), source=SOURCE, split=self.frame.split, hate=hate, toxic=toxic,
            insult=insult, threat=threat, profanity=profanity, targets=attacked if hate else frozenset(), weight=WEIGHT,
        )  # fmt: skip

    def _pick_groups(self) -> tuple[Group, Group]:
        fewest = min(self.dealt[group] for group in self.groups)
        group = self.draw.choice([group for group in self.groups if self.dealt[group] == fewest])
        if self.slots & _GROUP_SLOTS:
            self.dealt[group] += 1
        return group, self.draw.choice([other for other in self.groups if not other.targets & group.targets])

    def _name(self, group: Group) -> dict[str, str]:
        return {
            "they": self.draw.choice(group.plural),
            "one": self.draw.choice(group.singular),
            "adj": group.adjective,
            "isadj": group.adjective,
            "flag": self.draw.choice(group.emoji or ("",)),
        }

    def _word(self, slot: str, words: dict[str, str]) -> str:
        """Draw what stands in all slots of a name."""
        if slot in read_words():
            return self.draw.choice(read_words()[slot])
        if slot == "claim":
            return f"{words['they']} {self._draw_statement('bad').predicate}"
        if slot == "thing_claim":
            statement = self._draw_statement("bad", lambda statement: bool(statement.things))
            return f"{self.draw.choice(statement.things)} {statement.predicate}"
        if slot == "crew_claim":
            statement = self._draw_statement("bad", lambda statement: statement.fits_people)
            return f"{self.draw.choice(read_words()['crew'])} {statement.predicate}"
        return self._draw_statement(slot.removesuffix("2")).predicate

    def _draw_statement(self, slot: str, suits: Callable[[Statement], bool] = lambda statement: True) -> Statement:
        return self.draw.choice([statement for statement in read_statements()[slot, self.frame.split] if suits(statement)])

    def _style(self, text: str) -> str:
        """Write the text as people do: some in lower case, without a full stop, or with a word before or after it."""
        if self.frame.text[0] == "{" or self.frame.text[0].isupper():
            text = text[0].upper() + text[1:]
        text = _SENTENCE.sub(lambda match: match[1] + match[2].upper(), text)
        drawn = self.draw.random()
        if drawn < 0.18:
            text = text.lower()
        if drawn < 0.26:
            text = text.removesuffix(".")
        elif drawn < 0.32:
            text = f"{self.draw.choice(read_words()['opening'])} {text}"
        elif drawn < 0.38:
            text = f"{text} {self.draw.choice(read_words()['closing'])}"
        return text
