"""README.md and docs/ as the tests read them: code blocks, sentences and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "hate_speech_AI/data/README.md", *sorted((ROOT / "docs").glob("*.md"))]
_CELLS = ("th_open", "td_open")
# A sentence ends at a full stop, question or exclamation mark with a blank after it, and what follows begins anew.
_END = re.compile(r"(?<=[.?!])[\"')]?\s+(?=[\"'(]?[A-Z0-9`])")


@dataclass(frozen=True)
class Block:
    """A code block: its language, its text, and the line of its page that it begins on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Sentence:
    """A sentence, a list item's or a table cell's too, with the line that its paragraph begins on."""

    text: str
    page: str
    line: int
    is_cell: bool

    @property
    def words(self) -> int:
        return sum(any(map(str.isalnum, word)) for word in self.text.split())


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def blocks(text: str) -> list[Block]:
    """Return the code blocks of a page in order."""
    return [
        Block(token.info.strip(), token.content, token.map[0] + 1)
        for token in tokens(text)
        if token.type in ("fence", "code_block")
    ]


def sentences(text: str, page: str) -> Iterator[Sentence]:
    """Yield the sentences of a page: those of paragraphs, list items and table cells, without headings; code is one word."""
    found = tokens(text)
    line = 0
    for before, token in pairwise(found):
        line = before.map[0] + 1 if before.map else line
        if token.type != "inline" or before.type == "heading_open":
            continue
        for sentence in _END.split(_plain(token)):
            if any(map(str.isalnum, sentence)):
                yield Sentence(sentence.strip(), page, line, is_cell=before.type in _CELLS)


def _plain(token: Token) -> str:
    """Return what a reader reads."""
    parts = []
    for child in token.children:
        if child.type == "text":
            parts.append(child.content)
        elif child.type == "code_inline":
            parts.append("`" + child.content.replace(" ", "_") + "`")
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "image":
            parts.append(child.content)
    return "".join(parts)


def links(text: str) -> list[str]:
    """Return where the links and pictures of a page lead."""
    return [
        child.attrGet("href") or child.attrGet("src")
        for token in tokens(text)
        if token.type == "inline"
        for child in token.children
        if child.type in ("link_open", "image")
    ]
