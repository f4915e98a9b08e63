"""The form of a text that the encoder reads, and where each of its characters comes from."""

import re
import unicodedata

from .aligned import MAX_GROWTH, Aligned
from .emoji_names import find_letters, spell_emoji
from .markup import ENTITY, undo_entity, undo_markup
from .normalisation import MOJIBAKE, normalise_unicode, undo_mojibake
from .restoration import restore_figures, restore_words

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


def encoder_form(text: str, *, restore: bool = True) -> Aligned:
    """Return the form of `text` that the encoder reads, and where each of its characters comes from.

    It undoes markup, decodes entities and mojibake, drops invisible characters, and undoes look-alike letters, leetspeak inside
    words, split letters and drawn-out words. A mention becomes "@user", a link "http", an emoji its letters or its English name.
    The tokenizer makes lower case.

    Parameters
    ----------
    text : str
    restore : bool
        Whether to restore disguised words. A fine-tuning reads some texts without.
    """
    form = undo_markup(text) if "<" in text else Aligned(text)
    form.cut_middle()
    if "&" in text:
        form.replace(ENTITY, undo_entity)
    if not text.isascii() or not form.text.isascii():
        form.replace(MOJIBAKE, undo_mojibake)
        form.edit_within_bounds(find_letters(form.text))
        form.edit_within_bounds(spell_emoji(form.text))
        form.replace(_UNSEEN, lambda found: "")
        pieces = _WORD_OR_FOREIGN.finditer(form.text)
        form.edit_within_bounds((*piece.span(), latinise(piece.group())) for piece in pieces if not piece.group().isascii())
    form.replace(_LINK, lambda found: "http")
    if restore:
        restore_figures(form)
    if "@" in form.text or "user" in form.text.lower():
        form.replace(_ADDRESS, lambda found: "@user")
    if "#" in form.text:
        form.replace(_HASHTAG, lambda found: "# " + _HUMP.sub(" ", found.group()[1:]))
    form.replace(_SPLIT_LETTERS, lambda found: _NO_LETTER.sub("", found.group()))
    form.replace(_LEETSPEAK, lambda found: found.group().translate(_LEET_LETTERS), by_character=True)
    form.replace(_DRAWN_OUT, lambda found: found.group()[: 2 if found.group(1) else 3])
    if restore:
        restore_words(form)
    form.edit((found.end() - 1, found.end(), f"{found.group()[-1]} ") for found in _ENDLESS.finditer(form.text))
    return form


def latinise(word: str) -> str:
    """Return a word without accents. If all its other letters are look-alikes, return these as Latin letters."""
    plain = normalise_unicode("NFKD", word)
    if len(plain) - len(word) > MAX_GROWTH:
        return plain  # will be skipped
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    latin = "".join(_LOOK_ALIKES.get(char, char) for char in plain)
    return latin if latin.isascii() else plain
