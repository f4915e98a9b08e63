"""What both dialects share."""

from .errors import CompatError


def read_fields(body: object) -> dict[str, object]:
    """Return the fields of a body. Raises `CompatError` if it is not a JSON object."""
    if not isinstance(body, dict):
        raise CompatError("The body must be a JSON object.", "invalid_request")
    return body
