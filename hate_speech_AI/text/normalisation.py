"""Which texts are the same text, and the form that every engine reads."""

import hashlib
import html
import re
import unicodedata

# UTF-8 read as Latin-1. Longer sequences hardly occur in real Latin-1 text; of the two-byte ones only those that begin with
# "Â" or "Ã" are taken, since other pairs do occur in it (German "Spaß»" ends in one).
MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|[\u00e0-\u00ef][\u0080-\u00bf]{2}|[\u00f0-\u00f4][\u0080-\u00bf]{3}")


def fingerprint(text: str) -> str:
    """Return the 64 hex digits that stand for `text`: the sha256 of its NFKC, casefolded, white-space-collapsed form."""
    same = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()


def undo_mojibake(match: re.Match) -> str:
    """Return what a match of `MOJIBAKE` was before it was read as Latin-1, or the match itself if it was no UTF-8."""
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def normalise(text: str) -> str:
    """Return `text` with HTML entities and mojibake undone; every engine reads this form."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = MOJIBAKE.sub(undo_mojibake, text)
    return text
