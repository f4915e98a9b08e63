"""Words of the commands about labels."""

from typing import Any


def describe_labels(group: dict[str, Any]) -> str:
    """Return a group of labels in words, such as "12 from review by key forum, 2026-01-01"."""
    key = f" by key {group['key']}" if group["key"] else ""
    when = f"{group['hour'][:13]}h UTC" if "hour" in group else group["night"]
    return f"{group['labels']:,} from {group['source']}{key}, {when}"
