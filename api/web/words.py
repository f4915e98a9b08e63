"""Words of messages to people."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 post", "2,000 posts"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
