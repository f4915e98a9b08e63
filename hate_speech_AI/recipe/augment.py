"""Data augmentation: make more texts from those there are.

Some keep their label: with letters disguised as people do it, or with one identity replaced by another. Recombined texts have no
label. Only a teacher gives their probabilities.
"""

import random
import re

import emoji

_LEET = {"a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7+", "u": "v"}
_VOWELS = "aeiou"
_WORD = re.compile(r"[A-Za-z]{4,}")

# Words with one grammatical form. Each can replace another.
_PEOPLES = (
    "women", "girls", "females", "muslims", "jews", "blacks", "black people", "asians", "asian people", "arabs", "mexicans",
    "immigrants", "migrants", "refugees", "foreigners", "gays", "gay people", "lesbians", "trans people", "transgender people",
    "disabled people", "indians", "africans", "chinese people", "pakistanis", "hindus", "latinos", "jewish people",
    "muslim people", "black women", "muslim women", "gay men", "trans women", "gypsies", "turks", "poles",
)  # fmt: skip
_ADJECTIVES = (
    "black", "muslim", "jewish", "gay", "lesbian", "trans", "disabled", "asian", "mexican", "arab", "female", "indian", "african",
    "chinese", "immigrant", "foreign", "pakistani", "latino", "transgender", "bisexual", "autistic", "hindu",
)  # fmt: skip
_PERSONS = (
    "woman", "girl", "muslim", "jew", "black person", "asian", "arab", "mexican", "immigrant", "refugee", "foreigner",
    "gay person", "gay man", "lesbian", "trans person", "disabled person", "african", "pakistani", "trans woman", "black man",
)  # fmt: skip


def _any_of(terms: tuple[str, ...], before: str = "", after: str = "") -> re.Pattern:
    choice = "|".join(sorted(map(re.escape, terms), key=len, reverse=True))
    return re.compile(rf"{before}\b({choice})\b{after}", re.IGNORECASE)


_BEFORE_PEOPLE = r"(?= (?:people|person|men|man|women|woman|guy|guys|kid|kids|girl|girls|folk|folks|famil|community))"
_FORMS = (
    (_any_of(_PERSONS, before=r"(?:(?<=\ba )|(?<=\ban )|(?<=\bthe )|(?<=\bthat )|(?<=\bthis ))"), _PERSONS),
    (_any_of(_PEOPLES), _PEOPLES),
    (_any_of(_ADJECTIVES, after=_BEFORE_PEOPLE), _ADJECTIVES),
)  # fmt: skip


def swap_identity(text: str, draw: random.Random) -> str:
    """Replace one identity that `text` names by another, throughout. Return `text` unchanged if it names none."""
    for pattern, terms in _FORMS:
        if found := pattern.search(text):
            old, new = found.group(1), draw.choice(terms)
            return re.sub(rf"\b{re.escape(old)}\b", new, text, flags=re.IGNORECASE)
    return text


def disguise(text: str, draw: random.Random) -> str:
    """Misspell some words of `text`, or join words."""
    kind = draw.random()
    if kind < 0.08:
        return "#" + re.sub(r"[^A-Za-z0-9]+", "", text) if len(text) < 40 else text.replace(" ", "")[:160]
    if kind < 0.2:
        blanks = [at for at, char in enumerate(text) if char == " "]
        gone = set(draw.sample(blanks, k=min(len(blanks), draw.choice((1, 1, 2, 3)))))
        return "".join(char for at, char in enumerate(text) if at not in gone)
    words = list(_WORD.finditer(text))
    if not words:
        return text
    # Long words carry the meaning more often than short ones.
    picked = {
        max(draw.sample(words, k=min(3, len(words))), key=lambda word: len(word.group()))
        for _ in range(draw.choice((1, 1, 2, 3)))
    }
    pieces, at = [], 0
    for word in sorted(picked, key=lambda word: word.start()):
        pieces += text[at : word.start()], _misspell(word.group(), draw)
        at = word.end()
    return "".join([*pieces, text[at:]])


def emoji_of(texts: list[str]) -> list[str]:
    """Return every emoji in `texts`, once and sorted."""
    return sorted({found["emoji"] for text in texts for found in emoji.emoji_list(text)})


def recombine(text: str, other: str, faces: list[str], draw: random.Random) -> str:
    """Make a text without a label from two others.

    It is one of five: a part of `text`; `text` without some words; `text` with some words of `other`; `text` with some of the
    emoji `faces`; or the beginning of `text` and the end of `other`.
    """
    words, others = text.split(), other.split()
    match draw.choices(("cut", "thin", "exchange", "join", "adorn"), (0.25, 0.1, 0.15, 0.3, 0.2))[0]:
        case "cut":
            count = max(min(4, len(words)), round(len(words) * draw.uniform(0.4, 0.8)))
            start = draw.randrange(len(words) - count + 1)
            words = words[start : start + count]
        case "thin":
            words = [word for word in words if draw.random() > 0.15] or words
        case "exchange":
            for _ in range(draw.choice((1, 1, 2, 3))):
                words[draw.randrange(len(words))] = draw.choice(others)
        case "adorn" if faces:
            at = draw.choice((len(words), len(words), draw.randrange(len(words) + 1)))
            words[at:at] = ["".join(draw.choices(faces, k=draw.choice((1, 1, 2, 3))))]
        case _:
            words = words[: round(len(words) * draw.uniform(0.3, 0.7))] + others[round(len(others) * draw.uniform(0.3, 0.7)) :]
    return " ".join(words) or text


def _misspell(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    match draw.randrange(9):
        case 0 | 1 | 2:  # letters as figures
            share = draw.choice((0.3, 0.6, 1.0))
            word = "".join(draw.choice(_LEET.get(c.lower(), c)) if draw.random() < share else c for c in word)
        case 3:  # letters apart
            blank = draw.choice((" ", " ", ".", "-", "_", "*"))
            word = blank.join(word) if draw.random() < 0.5 else word[:at] + blank + word[at:]
        case (4 | 5) as kind:  # vowels left out, or starred
            mark = "" if kind == 4 else "*"
            word = word[0] + "".join(mark if c in _VOWELS and draw.random() < 0.6 else c for c in word[1:])
        case 6:  # two letters swapped
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 7:  # a letter repeated
            word = word[:at] + word[at] * draw.choice((1, 2, 3)) + word[at:]
        case _:  # a letter left out
            word = word[:at] + word[at + 1 :]
    return word
