"""The form of a text that the encoder reads, and where each of its characters comes from."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from .normalisation import MOJIBAKE, normalise_unicode, undo_mojibake

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});?")
# Invisible characters, and marks that decorate a letter: format characters, blanks of no width, combining marks, variation
# selectors and tags. Also halves of surrogate pairs, which are no characters.
_UNSEEN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\U000e0000-\U000e0fff\ud800-\udfff]+"
)
_WORD_OR_FOREIGN = re.compile(r"\w++|[^\x00-\x7f]")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.-]*\w|(?<![\w@])@\w++|<user>|\[user\]", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S*+|<url>|\[url\]", re.IGNORECASE)
_HASHTAG = re.compile(r"#\w++")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_+|(?<=[A-Za-z])(?=\d)")
# A digit or sign, or the same one twice, in place of a letter between letters: "h4te", not "covid19", "4chan" or "mp3".
_LEETSPEAK = re.compile(r"(?<=[A-Za-z])([013456789@$])\1?(?=[A-Za-z])")
_LEET_LETTERS = str.maketrans("013456789@$", "oieasgtbgas")
# Single letters with the same separator between them: four or more with blanks, three or more with dots and the like.
_SPLIT_LETTERS = re.compile(
    r"(?<![^\W_])[^\W\d_](?: [^\W\d_]){3,}(?![^\W_])|(?<![^\W_])[^\W\d_]([._*\-·])[^\W\d_](?:\1[^\W\d_])+(?![^\W_])"
)
_NO_LETTER = re.compile(r"[\W\d_]+")
# The tokenizer turns longer words into one unknown token, and hate could hide in them.
_ENDLESS = re.compile(r"\w{80}(?=\w)")
# How many characters the names of emoji may add to a text, and how many other characters that become several ("ﷺ" becomes 18).
MAX_GROWTH = 16_384
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}|([^\w\s])\2{3,}")

# Letters that look like Latin ones, from Unicode's confusables (UTS 39). Those that decompose into Latin letters (accents, full
# width, mathematical alphabets) need no entry.
_LOOK_ALIKES = {
    look_alike: latin
    for latin, look_alikes in {
        "a": "аɑαᴀАΑᎪ", "b": "вьƅβʙВΒᏴɓ", "c": "сϲᴄСϹᏟƈ", "d": "ԁɗđᴅᎠԀ", "e": "еєεҽᴇЕΕᎬə", "f": "ƒꜰϝ", "g": "ɡɢցԌᏀǥ",
        "h": "һհнʜНΗᎻħ", "i": "іιıɩɪІΙӀᎥɨ", "j": "јϳᴊЈᎫ", "k": "кκᴋКΚᏦƙ", "l": "ӏʟᏞłƚɫ", "m": "мᴍМΜᎷ", "n": "пηոɴΝɲŋ",
        "o": "оοօσᴏОΟՕø", "p": "рρᴘРΡᏢ", "q": "ԛգ", "r": "гʀᎡᏒя", "s": "ѕꜱЅՏᏚʂ", "t": "тτᴛТΤᎢŧ", "u": "υսᴜцʉ", "v": "νѵᴠѴᏙ",
        "w": "ԝωᴡԜᎳшщ", "x": "хχХΧ", "y": "уγүʏУΥҮ", "z": "ᴢΖᏃƶ",
    }.items()
    for look_alike in look_alikes
}  # fmt: skip
_LOOK_ALIKES |= {chr(start + at): chr(97 + at) for start in (0x1F150, 0x1F170) for at in range(26)}  # white on black letters


class Aligned:
    """A rewritten text, and where each of its characters comes from in the original.

    Attributes
    ----------
    text : str
    starts, ends : sequence of int
        For each character, where its origin begins and ends in the original.
    is_cut : bool
        Whether characters were left as they are because the text would have become too long.
    """

    __slots__ = ("ends", "is_cut", "starts", "text")

    def __init__(self, text: str):
        self.text = text
        self.is_cut = False
        self.starts: Sequence[int] = range(len(text))
        self.ends: Sequence[int] = range(1, len(text) + 1)

    def replace(
        self, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str], *, by_character: bool = False
    ) -> None:
        """Replace each match. See `edit`."""
        self.edit(((*found.span(), replacement(found)) for found in pattern.finditer(self.text)), by_character=by_character)

    def edit(self, edits: Iterable[tuple[int, int, str]], *, by_character: bool = False) -> None:
        """Replace each (start, end), in ascending order, by a new text.

        The origin of each new character is the whole replaced part. With `by_character` it is the one character in its place. The
        origin of a deleted part is added to that of the character before it.
        """
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, new in edits:
            kept = end if by_character else start
            pieces += self.text[at:start], new
            starts += self.starts[at:kept]
            ends += self.ends[at:kept]
            if not by_character:
                starts += [self.starts[start]] * len(new)
                ends += [self.ends[end - 1]] * len(new)
                if ends and not new:
                    ends[-1] = self.ends[end - 1]
            at = end
        if pieces:
            self.text = "".join([*pieces, self.text[at:]])
            self.starts, self.ends = [*starts, *self.starts[at:]], [*ends, *self.ends[at:]]

    def edit_within_bounds(self, edits: Iterable[tuple[int, int, str]]) -> None:
        """Do as `edit`, but skip what would make the text longer by more than `MAX_GROWTH` in all."""
        self.edit(self._skip_growth(edits))

    def _skip_growth(self, edits: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
        left = MAX_GROWTH
        for start, end, new in edits:
            growth = len(new) - (end - start)
            if growth > left:
                self.is_cut = True
                continue
            left -= max(growth, 0)
            yield start, end, new

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to `end` (exclusive) come from in the original."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def encoder_form(text: str) -> Aligned:
    """Return the form of `text` that the encoder reads, and where each of its characters comes from.

    It decodes entities and mojibake, drops invisible characters, and undoes look-alike letters, leetspeak inside words, split
    letters and drawn-out words. A mention becomes "@user", a link "http", an emoji its English name. The tokenizer makes lower
    case.
    """
    form = Aligned(text)
    if "&" in text:
        form.replace(_ENTITY, lambda found: html.unescape(found.group()))
    if not text.isascii() or not form.text.isascii():
        form.replace(MOJIBAKE, undo_mojibake)
        form.edit_within_bounds(_spell_emoji(form.text))
        form.replace(_UNSEEN, lambda found: "")
        pieces = _WORD_OR_FOREIGN.finditer(form.text)
        form.edit_within_bounds((*piece.span(), _latin(piece.group())) for piece in pieces if not piece.group().isascii())
    form.replace(_LINK, lambda found: "http")
    if "@" in form.text or "user" in form.text.lower():
        form.replace(_ADDRESS, lambda found: "@user")
    if "#" in form.text:
        form.replace(_HASHTAG, lambda found: "# " + _HUMP.sub(" ", found.group()[1:]))
    form.replace(_SPLIT_LETTERS, lambda found: _NO_LETTER.sub("", found.group()))
    form.replace(_LEETSPEAK, lambda found: found.group().translate(_LEET_LETTERS), by_character=True)
    form.replace(_DRAWN_OUT, lambda found: found.group()[: 2 if found.group(1) else 3])
    form.edit((found.end() - 1, found.end(), f"{found.group()[-1]} ") for found in _ENDLESS.finditer(form.text))
    return form


def _latin(word: str) -> str:
    """Return a word without accents. If all its other letters are look-alikes, return these as Latin letters."""
    plain = normalise_unicode("NFKD", word)
    if len(plain) - len(word) > MAX_GROWTH:
        return plain  # will be skipped
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    latin = "".join(_LOOK_ALIKES.get(char, char) for char in plain)
    return latin if latin.isascii() else plain


@cache
def _load_emoji() -> tuple[re.Pattern[str], dict[str, str], int]:
    """Return a pattern of the first characters of emoji, the English names, and the length of the longest emoji."""
    from emoji import EMOJI_DATA  # not at the top: the linear engine does not need this table

    names = {
        emoji: " " + entry["en"].strip(":").replace("_", " ").replace("-", " ").lower() + " "
        for emoji, entry in EMOJI_DATA.items()
        if not emoji[0].isascii() and emoji[0] not in _LOOK_ALIKES
    }
    return re.compile(f"[{''.join(sorted({emoji[0] for emoji in names}))}]"), names, max(map(len, names))


def _spell_emoji(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, name) of the emoji in `text`. A repeated emoji counts once."""
    first_characters, names, longest = _load_emoji()
    at = 0
    found: tuple[int, int, str] | None = None
    while match := first_characters.search(text, at):
        start = match.start()
        window = text[start : start + longest]
        length = next((n for n in range(len(window), 0, -1) if window[:n] in names), 0)
        at = start + (length or 1)
        if not length:
            continue
        name = names[text[start:at]]
        if found and found[1] == start and found[2] == name:
            found = found[0], at, name
            continue
        if found:
            yield found
        found = start, at, name
    if found:
        yield found
