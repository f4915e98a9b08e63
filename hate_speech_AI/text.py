"""What is done to a text before anything learns from it or judges it.

Two forms are kept apart on purpose. The *fingerprint* says which texts are the same text; it keys rows and never changes.
What the *model reads* (`normalise`, `reading_form`, `clean_and_tokenize_string`, `encoder_form`) may improve with every release;
what the encoder reads, with every encoder. Everything here takes time linear in the text's length: a post is hostile input.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache

from stemming.porter2 import stem as porter2_stem

# UTF-8 read as Latin-1. Longer sequences hardly occur in real Latin-1 text; of the two-byte ones only those that begin with
# "Â" or "Ã" are taken, since other pairs do occur in it (German "Spaß»" ends in one).
_MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|[\u00e0-\u00ef][\u0080-\u00bf]{2}|[\u00f0-\u00f4][\u0080-\u00bf]{3}")

# The rules of nltk.tokenize.casual (TweetTokenizer) for hashtags, and for words with apostrophes and dashes inside, in one
# pattern; mentions and links are gone by then. TweetTokenizer itself takes as long as half a request, and its import costs a
# process 1.3 s and 172 MB. The possessive quantifiers keep the patterns linear.
_WORD = re.compile(r"#[\w'-]*\w|[^\W\d_](?:[^\W\d_]|['’_-](?=[^\W\d_]))*+")
_MENTION_OR_LINK = re.compile(r"@\w*+|(?:https?://|www\.)\S*+")
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_LENGTHENED = re.compile(r"(.)\1{3,}")


def fingerprint(text: str) -> str:
    """Return the 64 hex digits that stand for `text`: the sha256 of its NFKC, casefolded, white-space-collapsed form."""
    same = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()


def _undo_mojibake(match: re.Match) -> str:
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def normalise(text: str) -> str:
    """Return `text` with HTML entities and mojibake undone; every engine reads this form."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _MOJIBAKE.sub(_undo_mojibake, text)
    return text


def reading_form(text: str) -> str:
    """Return what the linear engine reads of `text`: normalised, in lower case, single-spaced, mentions and links as marks.

    Mentions become "@" and links "://": that someone is addressed matters, who does not. White space is collapsed although
    `twitter_sentiment` scores five points of F1 higher with it left in: there the runs of blanks tell how the file was made,
    not what hate is, and two texts of one fingerprint must get one verdict.
    """
    text = _MENTION_OR_LINK.sub(_mark, normalise(text).lower())
    return " ".join(text.replace("\0", " ").split())


def _mark(found: re.Match) -> str:
    return "@" if found.group().startswith("@") else "://"


@lru_cache(maxsize=65536)
def stem_word(word: str) -> str:
    """Return the Porter2 stem of a lower-case word, letters and "#" only; remembered, since words repeat."""
    hashtag = "#" if word[0] == "#" else ""
    word = _NOT_A_LETTER.sub("", _LENGTHENED.sub(r"\1\1\1", word))
    # Nothing in a language is this long, and the stemmer's time grows with the square of the length.
    return hashtag + (porter2_stem(word) if word.isascii() and len(word) <= 64 else word[:64])


def words(form: str) -> list[str]:
    """Return the words and hashtags of a reading form, in order."""
    return _WORD.findall(form)


def stems(form: str) -> list[str]:
    """Return the Porter2 stems of the words of a reading form, letters and "#" only.

    The seed dropped words of three letters and fewer, and with them words such as "gay" and "jew". Measured by
    `recipe/choose_linear.py` on twitter_sentiment's training side, F1 is 0.728 with them and 0.727 without; the seed's whole
    cleaning, its slips mended, scores 0.725, and words that are not stemmed 0.725. So they stay.
    """
    return [stem_word(word) for word in words(form)]


def clean_and_tokenize_string(tweet: str) -> str:
    """Return the cleaned words of `tweet`, stemmed and joined by blanks."""
    return " ".join(stems(reading_form(tweet)))


# What the encoder reads.

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});?")
# What is not seen, or only decorates a letter: format characters, blanks of no width, combining marks, variation selectors, tags;
# and halves of surrogate pairs, which are no characters.
_UNSEEN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\U000e0000-\U000e0fff\ud800-\udfff]+"
)
_WORD_OR_FOREIGN = re.compile(r"\w++|[^\x00-\x7f]")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.-]*\w|(?<![\w@])@\w++|<user>|\[user\]", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S*+|<url>|\[url\]", re.IGNORECASE)
_HASHTAG = re.compile(r"#\w++")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_+|(?<=[A-Za-z])(?=\d)")
# One character, or one twice, that stands for a letter between letters: "h4te", not "covid19", "4chan" or "mp3".
_LEETSPEAK = re.compile(r"(?<=[A-Za-z])([013456789@$])\1?(?=[A-Za-z])")
_LEET_LETTERS = str.maketrans("013456789@$", "oieasgtbgas")
# Single letters with the same thing between them: four or more with blanks, three or more with dots and the like.
_SPLIT_LETTERS = re.compile(
    r"(?<![^\W_])[^\W\d_](?: [^\W\d_]){3,}(?![^\W_])|(?<![^\W_])[^\W\d_]([._*\-·])[^\W\d_](?:\1[^\W\d_])+(?![^\W_])"
)
_NO_LETTER = re.compile(r"[\W\d_]+")
# The tokenizer gives up on longer words, and hate could hide in them.
_ENDLESS = re.compile(r"\w{80}(?=\w)")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}|([^\w\s])\2{3,}")

# Letters that look like Latin ones, after Unicode's confusables (UTS 39); those that decompose into Latin letters (accents,
# full width, mathematical alphabets) need no entry.
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
    """A text that is being rewritten, and where each of its characters stands in the original.

    Attributes
    ----------
    text : str
    starts, ends : sequence of int
        Of each character, the place in the original where what it was made of begins, and where it ends.
    """

    __slots__ = ("ends", "starts", "text")

    def __init__(self, text: str):
        self.text = text
        self.starts, self.ends = range(len(text)), range(1, len(text) + 1)

    def replace(self, pattern: re.Pattern, replacement: Callable[[re.Match], str], *, by_character: bool = False) -> None:
        """Replace what matches; each new character stands for the whole match, or `by_character` for the one in its place."""
        self.edit(((*found.span(), replacement(found)) for found in pattern.finditer(self.text)), by_character=by_character)

    def edit(self, edits: Iterable[tuple[int, int, str]], *, by_character: bool = False) -> None:
        """Put a new text in the place of each (start, end), given in ascending order; what goes is the character's before it."""
        pieces, starts, ends, at = [], [], [], 0
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

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to `end` (exclusive) stand in the original."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def encoder_form(text: str) -> Aligned:
    """Return what the encoder reads of `text`, and where each character of it comes from.

    Undone: entities, mojibake, what is not seen, look-alike letters, leetspeak inside words, split letters, drawn-out words.
    Mentions become "@user", links "http", emoji their English names. Lower case is the tokenizer's work.
    """
    form = Aligned(text)
    if "&" in text:
        form.replace(_ENTITY, lambda found: html.unescape(found.group()))
    if not text.isascii() or not form.text.isascii():
        form.replace(_MOJIBAKE, _undo_mojibake)
        form.edit(_spell_emoji(form.text))
        form.replace(_UNSEEN, lambda found: "")
        pieces = _WORD_OR_FOREIGN.finditer(form.text)
        form.edit((*piece.span(), _latin(piece.group())) for piece in pieces if not piece.group().isascii())
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
    """Return a word without accents, its look-alike letters made Latin if it has no others."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
    latin = "".join(_LOOK_ALIKES.get(char, char) for char in plain)
    return latin if latin.isascii() else plain


@cache
def _emoji_names() -> tuple[re.Pattern, dict[str, str], int]:
    """Return a pattern of what an emoji can begin with, the English names, and the length of the longest emoji."""
    from emoji import EMOJI_DATA  # not at the top: the linear engine has no use for its table

    names = {
        emoji: " " + entry["en"].strip(":").replace("_", " ").replace("-", " ").lower() + " "
        for emoji, entry in EMOJI_DATA.items()
        if not emoji[0].isascii() and emoji[0] not in _LOOK_ALIKES
    }
    return re.compile(f"[{''.join(sorted({emoji[0] for emoji in names}))}]"), names, max(map(len, names))


def _spell_emoji(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, name) of the emoji in `text`; one that is repeated is one."""
    begins, names, longest = _emoji_names()
    at, found = 0, None
    while match := begins.search(text, at):
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


# Sentences.

# Marks that end one, what closes after them, and the white space that follows; or a line's end.
_SENTENCE_END = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|\n)\s*+")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|\w)\.)\s*\Z", re.IGNORECASE)
MAX_SENTENCES = 100


def sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of a text that is not blank, without the white space around it.

    There is at least one. What follows the 99th is one, however long, so that the cost of judging each stays bounded.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    ends = (found.end() for found in _SENTENCE_END.finditer(text))
    for end in (*ends, len(text)):
        if end < len(text) and (len(spans) == MAX_SENTENCES - 1 or _ABBREVIATION.search(text[max(start, end - 12) : end])):
            continue
        piece = text[start:end]
        if piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(piece.strip())))
        start = end
    return spans
