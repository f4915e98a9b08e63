"""Find the sentences of a text."""

import re

# Marks that end a sentence, closing quotes and brackets, and white space; or the end of a line.
_SENTENCE_END = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|\n)\s*+")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|\w)\.)\s*\Z", re.IGNORECASE)
MAX_SENTENCES = 100  # bounds the cost of judging each


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, without the white space around it.

    A text that is not blank has at least one. Everything after the 99th sentence counts as one more.
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
