"""A rewritten text that knows where each of its characters comes from."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

# How many characters the names of emoji may add to a text, and how many other characters that become several ("ﷺ" becomes 18).
MAX_GROWTH = 16_384
# Of a longer text the middle is not looked at.
MAX_CHARACTERS = 65_536

# What replaces a part of a text: its start, its end (exclusive), and the new characters.
Edit = tuple[int, int, str]


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

    @classmethod
    def join(cls, text: str, pieces: Iterable[tuple[int, int, str | None]]) -> "Aligned":
        """Return the pieces of `text` one after the other: each the part from start to end, or a new text in its place."""
        joined = cls("")
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for start, end, new in pieces:
            parts.append(text[start:end] if new is None else new)
            starts += range(start, end) if new is None else [start] * len(new)
            ends += range(start + 1, end + 1) if new is None else [end] * len(new)
        joined.text, joined.starts, joined.ends = "".join(parts), starts, ends
        return joined

    def replace(
        self, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str], *, by_character: bool = False
    ) -> None:
        """Replace each match. See `edit`."""
        self.edit(((*found.span(), replacement(found)) for found in pattern.finditer(self.text)), by_character=by_character)

    def edit(self, edits: Iterable[Edit], *, by_character: bool = False) -> None:
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

    def cut_middle(self) -> None:
        """Replace the middle of a text that is over `MAX_CHARACTERS` by a blank."""
        if len(self.text) > MAX_CHARACTERS:
            self.edit([(MAX_CHARACTERS // 2, len(self.text) - MAX_CHARACTERS // 2, " ")])
            self.is_cut = True

    def edit_within_bounds(self, edits: Iterable[Edit]) -> None:
        """Do as `edit`, but skip what would make the text longer by more than `MAX_GROWTH` in all."""
        self.edit(self._skip_growth(edits))

    def _skip_growth(self, edits: Iterable[Edit]) -> Iterator[Edit]:
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
