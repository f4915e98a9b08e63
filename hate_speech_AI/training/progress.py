"""How far a training is, said by the training itself: its steps are generators."""

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")


class Progress(NamedTuple):
    """What a training says before each step, and now and then within the long ones.

    Attributes
    ----------
    stage : str
        "reading" (rows, and what their texts hold), "fitting", "evaluating", "saving" or "activating".
    rows_read : int
        How many rows the engine has taken in so far.
    """

    stage: str
    rows_read: int


def run_to_end(steps: Generator[Any, None, Result]) -> Result:
    """Run a generator to its end and return what it returns; what it yields is dropped."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
