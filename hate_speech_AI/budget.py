"""What one request may cost. It is counted in tokens, which is what an answer costs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from .errors import AbandonedError, DeadlineError, TooManyTokensError


@dataclass(slots=True)
class Budget:
    """What the verdicts of one request may cost. The default is no limit, as for trainings and commands.

    Attributes
    ----------
    max_tokens : float
        How many tokens all texts of the request may have together.
    deadline : float
        When it has to be answered, by `time.monotonic`.
    is_abandoned : callable, optional
        Returns whether nobody waits for the answer any more.
    pay : callable, optional
        Called with the tokens of the request once they are counted, before the costly part. It may raise an error of its own.
    tokens : int
        How many tokens have been counted so far.
    """

    max_tokens: float = inf
    deadline: float = inf
    is_abandoned: Callable[[], bool] | None = None
    pay: Callable[[int], None] | None = None
    tokens: int = 0

    def spend(self, tokens: int) -> None:
        """Count the tokens of a text before it is judged. Raises `TooManyTokensError`."""
        self.tokens += tokens
        if self.tokens > self.max_tokens:
            raise TooManyTokensError(f"The texts have more than {self.max_tokens:,} tokens together. Send fewer at a time.")

    def close_count(self) -> None:
        """Say that the tokens of all texts are counted."""
        if self.pay is not None:
            self.pay(self.tokens)

    def check(self) -> None:
        """Raise an error if the work is to stop. Called before each part of it.

        Raises
        ------
        DeadlineError
            The deadline has passed.
        AbandonedError
            Nobody waits for the answer any more.
        """
        if time.monotonic() > self.deadline:
            raise DeadlineError("The texts could not be judged in time. Send fewer at a time, or try again later.")
        if self.is_abandoned is not None and self.is_abandoned():
            raise AbandonedError("Nobody waits for the verdicts any more.")


def split_texts(texts: list[str], characters: int, count: int | None = None) -> Iterator[list[str]]:
    """Yield the texts in lists, each small enough to be worked on at once.

    A list has one text, or several with `characters` together, and no more than `count`.
    """
    some: list[str] = []
    length = 0
    for text in texts:
        if some and (length + len(text) > characters or len(some) == count):
            yield some
            some, length = [], 0
        some.append(text)
        length += len(text)
    if some:
        yield some
