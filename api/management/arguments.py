"""The types of commands' arguments. What does not fit is refused with words, before the command begins."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime


def whole_number(most: int) -> Callable[[str], int]:
    """Return a parser of numbers from 1 to `most`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= most:
            raise ArgumentTypeError(f"takes a number, at least 1 and at most {most:,}")
        return number

    return parse


def moment(text: str) -> datetime:
    """Parse a date, or a date and time; UTC unless it names another time zone."""
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError("takes a date, or a date and time, such as 2026-01-31T13:00") from None
