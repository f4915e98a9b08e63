"""How a training reports its progress: its steps are generators that yield it."""

from collections.abc import Generator
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")


class Progress(NamedTuple):
    """The progress of a training. It is yielded before each step, and from time to time within the long ones.

    Attributes
    ----------
    stage : str
        "reading" (rows and their features), "fitting", "evaluating", "saving" or "activating".
    rows_read : int
        How many rows the engine has read so far.
    """

    stage: str
    rows_read: int


# A step of a training: it yields progress, and returns its result.
Steps = Generator[Progress, None, Result]


def run_to_end(steps: Steps[Result]) -> Result:
    """Run steps to their end, without reporting progress, and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
