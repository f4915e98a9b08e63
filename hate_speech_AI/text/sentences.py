"""Where the sentences of a text are."""

import re

# Sentences.

# Marks that end one, what closes after them, and the white space that follows; or a line's end.
_SENTENCE_END = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|\n)\s*+")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|\w)\.)\s*\Z", re.IGNORECASE)
MAX_SENTENCES = 100  # so that the cost of judging each stays bounded


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of a text that is not blank, without the white space around it.

    There is at least one. What follows the 99th sentence is one more, however long.
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
