"""Undo HTML, as the platforms' APIs give it, so that a text reads as people see it.

The HTML standard says what is a tag. But most texts are plain, and "<3", "a < b" and "<user>" stay. So a tag also needs a name
that HTML knows, or one that the text closes. Inline tags vanish, other tags become the end of a line.

What a browser does not show is read too, after the rest: comments, titles, unknown attributes. On a platform of plain text
people see it, and hate could hide there. Only what is plainly technical is left out, such as `class` and `href`.
"""

import html
import re
from typing import NamedTuple

from .aligned import Aligned

# As browsers do, whatever zeros stand before a number.
ENTITY = re.compile(r"&(?:#0*+\d{1,7}|#[xX]0*+[0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});?")

_BLANK = " \t\n\f\r"
_NAME = re.compile(rf"</?([A-Za-z][A-Za-z0-9:_.-]{{0,40}}+)(?=[{_BLANK}/>])")
_BETWEEN = re.compile(rf"[{_BLANK}/]*+")
_ATTRIBUTE_NAME = re.compile(rf"=?[^{_BLANK}/>=]*+")
_VALUE = re.compile(rf"[{_BLANK}]*+=[{_BLANK}]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^{_BLANK}>]*+))")
# What a browser takes for a comment; but "</3" is a heart. The shortest ones have no end of their own.
_COMMENT = re.compile(r"<(?:!--(?P<short>-?>)?|[!?]|/(?![A-Za-z\d]))")
_COMMENT_END = re.compile("--!?>")
_TAG_END = re.compile(">")

_INLINE = {
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "blink", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "ins", "kbd", "label", "mark", "nobr", "q", "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
_BLOCK = {
    "address", "area", "article", "aside", "audio", "base", "blockquote", "body", "br", "button", "caption", "center",
    "col", "colgroup", "dd", "details", "dialog", "dir", "div", "dl", "dt", "embed", "fieldset", "figcaption", "figure",
    "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html",
    "iframe", "input", "legend", "li", "link", "main", "map", "menu", "meta", "meter", "nav", "noscript", "object", "ol",
    "optgroup", "option", "output", "p", "param", "picture", "pre", "progress", "script", "section", "select", "source",
    "style", "summary", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title", "tr",
    "track", "ul", "video",
}  # fmt: skip
# People write these in brackets too, so they are tags only with attributes or where the text closes them.
_OFTEN_PLAIN = {
    "data", "dir", "form", "frame", "input", "label", "link", "main", "map", "menu", "object", "option", "output",
    "param", "picture", "section", "select", "source", "table", "time", "title", "track", "var",
}  # fmt: skip
# In these elements nothing is a tag, and a browser does not show them.
_ENDS = {name: re.compile(rf"</{name}(?=[{_BLANK}/>])", re.IGNORECASE) for name in ("script", "style")}

# Attributes that say nothing to people.
_TECHNICAL = {
    "align", "allow", "allowfullscreen", "aria-hidden", "async", "autoplay", "background", "bgcolor", "border",
    "cellpadding", "cellspacing", "charset", "class", "clear", "color", "cols", "colspan", "content", "controls",
    "crossorigin", "datetime", "decoding", "dir", "disabled", "download", "draggable", "face", "frameborder", "headers",
    "height", "hidden", "href", "hreflang", "hspace", "http-equiv", "id", "itemprop", "itemscope", "itemtype", "lang",
    "loading", "loop", "marginheight", "marginwidth", "media", "method", "muted", "name", "nowrap", "open", "playsinline",
    "poster", "preload", "property", "rel", "reversed", "role", "rows", "rowspan", "scope", "scrolling", "size", "sizes",
    "span", "spellcheck", "src", "srclang", "srcset", "start", "style", "tabindex", "target", "translate", "type", "usemap",
    "valign", "vspace", "width", "xmlns",
}  # fmt: skip
_LINK_TYPES = {
    "author", "bookmark", "external", "license", "me", "nofollow", "noopener", "noreferrer", "sponsored", "tag", "ugc",
}  # fmt: skip
_TECHNICAL_COMMENT = re.compile(r"\s*+(?:/?wp:|doctype\b|xml\b)", re.IGNORECASE)  # WordPress marks its blocks by comments
_TECHNICAL_NAME = re.compile(r"data-|on|aria-(?!label|description)")
_FEWEST_WORDS = 3  # of a technical value that says something nevertheless
_PUNCTUATION = ".,;:!?'\"()"

Span = tuple[int, int]
Piece = tuple[int, int, str | None]  # see `Aligned.join`


class _Attribute(NamedTuple):
    """An attribute: its name in lower case, where the name is, and where the value is, if it has one."""

    name: str
    start: int
    end: int
    value: Span | None


class _Mark(NamedTuple):
    """A tag or a comment: where it ends, the pieces that stand in its place, and the parts that are read after the rest."""

    end: int
    pieces: list[Piece]
    hidden: list[Span]


def undo_entity(found: re.Match[str]) -> str:
    """Decode a match of `ENTITY`. Do so after `undo_markup`: "&lt;b&gt;" is no tag."""
    return html.unescape(found.group())


def undo_markup(text: str) -> Aligned:
    """Return `text` without tags and comments, in linear time."""
    reader = _Reader(text)
    pieces: list[Piece] = []
    hidden: list[Span] = []
    at = kept = 0
    while (at := text.find("<", at)) >= 0:
        mark = reader.read_comment(at) or reader.read_tag(at)
        if mark is None:
            at += 1
            continue
        pieces += [(kept, at, None), *mark.pieces]
        hidden += mark.hidden
        at = kept = mark.end
    if not kept:
        return Aligned(text)
    pieces.append((kept, len(text), None))
    for start, end in hidden:
        pieces += [(start, start + 1, "\n"), (start, end, None)]
    return Aligned.join(text, pieces)


class _Reader:
    """Reads the tags and comments of one text."""

    def __init__(self, text: str):
        self._text = text
        names = [(found[1].lower(), found[0][1] == "/") for found in _NAME.finditer(text)]
        opened, closed = ({name for name, closes in names if closes == side} for side in (False, True))
        self._paired = opened & closed
        # What is not found once is not looked for again. Otherwise hostile texts would take quadratic time.
        self._missing: set[re.Pattern[str]] = set()
        self._dead_ends: dict[bool, set[int]] = {False: set(), True: set()}

    def read_comment(self, start: int) -> _Mark | None:
        """Return the comment at `start`; `None` if there is none."""
        found = _COMMENT.match(self._text, start)
        if not found:
            return None
        begin = found.end()
        if found["short"]:
            return _Mark(begin, [], [])
        end = self._search(_COMMENT_END if found[0] == "<!--" else _TAG_END, begin)
        if not end:
            return None
        is_technical = bool(_TECHNICAL_COMMENT.match(self._text, begin))
        return _Mark(end.end(), [], self._find_words((begin, end.start()), is_technical))

    def read_tag(self, start: int) -> _Mark | None:
        """Return the tag at `start`, with its content if that is no text; `None` if there is none."""
        found = _NAME.match(self._text, start)
        if not found:
            return None
        name, closes, is_paired = found[1].lower(), found[0][1] == "/", found[1].lower() in self._paired
        if not (is_paired or name in _INLINE or name in _BLOCK):
            return None
        takes_words = closes or is_paired  # "if a<b and c>d" has words where a tag has attributes
        attributes, end = self._read_attributes(found.end(), takes_words)
        if not end or (name in _OFTEN_PLAIN and not attributes and not takes_words):
            return None
        pieces, hidden = self._sort_values(attributes)
        if not (name in _INLINE or name in _BLOCK) and not closes:
            hidden.insert(0, found.span(1))
        if name in _ENDS and not closes and (close := self._search(_ENDS[name], end)):
            hidden += self._find_words((end, close.start()), is_technical=False)
            end = close.start()
        mark = '"' if name == "q" else "\n" if name in _BLOCK else ""
        return _Mark(end, [*pieces, (start, end, mark)], hidden)

    def _read_attributes(self, at: int, takes_words: bool) -> tuple[list[_Attribute], int]:
        """Return the attributes of a tag from `at` on, and where the tag ends; 0 if it does not, or has words and takes none."""
        attributes: list[_Attribute] = []
        dead_ends = self._dead_ends[takes_words]
        while (at := self._skip(_BETWEEN, at)) < len(self._text) and at not in dead_ends:
            if self._text[at] == ">":
                return attributes, at + 1
            after_name = self._skip(_ATTRIBUTE_NAME, at)
            name, value = self._text[at:after_name].lower(), _VALUE.match(self._text, after_name)
            attributes.append(_Attribute(name, at, after_name, value.span(value.lastindex or 0) if value else None))
            if not (takes_words or value or name in _TECHNICAL):
                break
            at = value.end() if value else after_name
        dead_ends.update(one.start for one in attributes)
        return [], 0

    def _sort_values(self, attributes: list[_Attribute]) -> tuple[list[Piece], list[Span]]:
        """Return what a browser may show in place of a tag, and what else of its attributes says something."""
        shown: list[Piece] = []
        hidden: list[Span] = []
        values: set[str] = set()
        for one in sorted(attributes, key=lambda one: one.name != "alt"):
            start, end = one.value or (one.start, one.end)
            value = self._text[start:end]
            if value in values:  # an emoji has its name in both alt and title
                continue
            values.add(value)
            if one.name == "alt":
                shown.append((start, end, None))
                continue
            hidden += self._find_words((start, end), _is_technical(one))
            if len(hidden) > 1 and not self._text[hidden[-2][1] : start].strip():  # words, one after the other
                hidden[-2:] = [(hidden[-2][0], end)]
        return shown, hidden

    def _find_words(self, span: Span, is_technical: bool) -> list[Span]:
        """Return a part of the text, in a list, if it says something: if technical, no less than three words."""
        words = self._text[slice(*span)].split()
        if is_technical:
            words = [word for word in words if word.strip(_PUNCTUATION).isalpha() and word.lower() not in _LINK_TYPES]
        return [span] if len(words) >= (_FEWEST_WORDS if is_technical else 1) else []

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        """Return where the match of a pattern at `at` ends."""
        found = pattern.match(self._text, at)
        return found.end() if found else at

    def _search(self, pattern: re.Pattern[str], begin: int) -> re.Match[str] | None:
        found = None if pattern in self._missing else pattern.search(self._text, begin)
        if not found:
            self._missing.add(pattern)
        return found


def _is_technical(attribute: _Attribute) -> bool:
    is_known = attribute.name in _TECHNICAL
    return is_known or (attribute.value is not None and bool(_TECHNICAL_NAME.match(attribute.name)))
