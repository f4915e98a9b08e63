"""The fingerprint, which tells which texts are the same, and the normal form, from which other forms are made."""

import hashlib
import re
import unicodedata

from .markup import ENTITY, undo_entity, undo_markup

# UTF-8 that was decoded as Latin-1. Sequences of three and four bytes hardly occur in real Latin-1 text. Pairs do: German "Spaß»"
# ends in one. So only pairs that begin with "Â" or "Ã" count.
MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|[\u00e0-\u00ef][\u0080-\u00bf]{2}|[\u00f0-\u00f4][\u0080-\u00bf]{3}")


def fingerprint(text: str) -> str:
    """Return the fingerprint of `text`: the sha256, in hex, of its NFKC, casefolded, white-space-collapsed form."""
    same = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()


def undo_mojibake(match: re.Match[str]) -> str:
    """Decode a match of `MOJIBAKE` as UTF-8. Return it unchanged if it is no UTF-8."""
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def normalise(text: str) -> str:
    """Return `text` with markup undone, and entities and mojibake decoded."""
    if "<" in text:
        text = undo_markup(text).text
    if "&" in text:
        text = ENTITY.sub(undo_entity, text)
    if not text.isascii():
        text = MOJIBAKE.sub(undo_mojibake, text)
    return text
