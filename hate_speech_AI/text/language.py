"""The language of a text. The models have learned English only.

Most English texts are told by their words, which costs a request next to nothing. py3langid tells the rest. Its model is 4.6 MB
on disk and 50 MB in memory: plain arrays, of which nothing can execute.
"""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import name

from .encoder_form import latinise
from .normalisation import normalise, normalise_unicode

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SUPPORTED = "en"
UNDETERMINED = "und"  # ISO 639's code for a language that nobody knows

# The beginning of a text tells its language: the rest would only cost time.
_CHARACTERS = 1000
_WORDS_FOR_ONE = 12  # so many words for each frequent English one
_FEWEST_WORDS = 3  # one or two words may be of any language, and mostly are English
_FOREIGN_FROM = 0.7  # the probability of all other languages together

_LANGUAGES = ["ar", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "hi", "hu", "id", "it", "ja", "nl", "no", "pl", "pt",
              "ro", "ru", "sv", "tr", "uk", "ur", "vi", "zh"]  # fmt: skip
# By the first word of the names of a script's letters. py3langid tells the languages that share a script.
_SCRIPTS = {
    "ARABIC": "ar", "ARMENIAN": "hy", "BENGALI": "bn", "CJK": "zh", "CYRILLIC": "ru", "DEVANAGARI": "hi", "GEORGIAN": "ka",
    "GREEK": "el", "GUJARATI": "gu", "GURMUKHI": "pa", "HANGUL": "ko", "HEBREW": "he", "HIRAGANA": "ja", "KANNADA": "kn",
    "KATAKANA": "ja", "KHMER": "km", "LAO": "lo", "MALAYALAM": "ml", "MYANMAR": "my", "SINHALA": "si", "TAMIL": "ta",
    "TELUGU": "te", "THAI": "th",
}  # fmt: skip
_SHARED_SCRIPTS = {"ARABIC", "CJK", "CYRILLIC", "DEVANAGARI"}
# What has a figure in it is no word either: the letters of "d92a4aa2-b410" are of no language.
_NO_WORD = re.compile(r"@\w++|#|(?:https?://|www\.)\S*+|<\w++>|\[\w++\]|(?<![A-Za-z0-9_-])[A-Za-z_-]*+[0-9][A-Za-z0-9_-]*+")
# A Latin letter alone is no word: "w o r n  o u t".
_WORD = re.compile(r"[^\W\d_]{2,}+|[^\W\d_\x00-\u024f]")
_LOOK_ALIKE = re.compile("[\u0370-\u058f\u13a0-\u13ff]")  # Greek, Cyrillic, Armenian and Cherokee have letters like Latin ones
_LATIN = re.compile("[A-Za-z]")


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of the language of `text`; "en" if it may be English, "und" for a script that nobody here knows.

    1. If a twelfth of the words are frequent English ones, at least one of which is rare in other languages, and none is a
       frequent word of another language, it is English.
    2. A script that English is not written in, if most letters are of it. Look-alike letters in Latin words are Latin.
    3. Fewer than three different words are English.
    4. py3langid. A text is not English from a probability of 0.7 on.
    """
    text = text[:_CHARACTERS]
    is_mostly_ascii = text.isascii() or 4 * len(text.encode("ascii", "ignore")) >= 3 * len(text)
    if is_mostly_ascii and _has_english_words(set(text.lower().replace("#", " ").split())):
        return SUPPORTED
    return _identify(text)


def _has_english_words(words: set[str]) -> bool:
    english, unambiguous, other = _load_words()
    found = words & english
    return _WORDS_FOR_ONE * len(found) >= len(words) and not found.isdisjoint(unambiguous) and other.isdisjoint(words)


def _identify(text: str) -> str:
    """Return the language of a text whose words are not plainly English."""
    plain = _NO_WORD.sub(" ", normalise_unicode("NFKC", normalise(text)))
    # A word of look-alikes alone is most likely one of their own script.
    words = [latinise(word) if _LOOK_ALIKE.search(word) and _LATIN.search(word) else word for word in _WORD.findall(plain)]
    script = _find_foreign_script(words)
    if script and script not in _SHARED_SCRIPTS:
        return _SCRIPTS.get(script, UNDETERMINED)
    different = {word.lower() for word in words}  # without the punctuation around them
    if not script and (len(different) < _FEWEST_WORDS or _has_english_words(different)):
        return SUPPORTED
    probabilities = dict(load_identifier().rank(" ".join(words)))
    english = probabilities.pop(SUPPORTED)
    likeliest = max(probabilities, key=probabilities.__getitem__)
    if not script:
        return likeliest if 1 - english >= _FOREIGN_FROM else SUPPORTED
    return likeliest if english < probabilities[likeliest] else _SCRIPTS[script]


def _find_foreign_script(words: list[str]) -> str | None:
    """Return the script of most letters, by their names; `None` if that is Latin. Two Latin letters count as one of another."""
    scripts: Counter[str] = Counter()
    for word in words:
        if word.isascii():
            scripts["LATIN"] += len(word)
        else:
            scripts.update(name(char, "").split(" ")[0] for char in word)
    latin = scripts.pop("LATIN", 0)
    if 2 * scripts.total() <= latin:
        return None
    # Japanese is written in Chinese characters too, so its own come first.
    return next((script for script in ("HIRAGANA", "KATAKANA") if scripts[script]), scripts.most_common(1)[0][0])


@cache
def _load_words() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the frequent English words, those of them that are rare in other languages, and frequent words of these."""
    lists = json.loads((Path(__file__).parents[1] / "data" / "words.json").read_text("utf-8"))
    unambiguous = frozenset(lists["english"])
    return unambiguous | frozenset(lists["shared"]), unambiguous, frozenset(lists["other"])


@cache
def load_identifier() -> "LanguageIdentifier":
    """Return this process's language identifier. It takes half a second, so processes that serve load it at their start."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # not at the top: most processes never need it

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(_LANGUAGES)
    # Another one of the chosen columns only, which lets go of the table of all 140 languages.
    return LanguageIdentifier(
        whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output, norm_probs=True, tk_row=whole.tk_row
    )
