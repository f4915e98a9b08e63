"""The parser of JSON bodies."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from .strings import find_faults, may_hide_fault


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


class StrictJSONParser(BaseParser):
    """Parses UTF-8 JSON. NaN, bodies that nest too deeply, and strings that cannot be stored are a 400."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read()
        if not body:
            raise ParseError('The body is empty. Send a JSON object such as {"tweet": "..."}.')
        try:
            text = body.decode("utf-8-sig")
            parsed = json.loads(text, parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except RecursionError as error:
            raise ParseError("The body nests too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        if may_hide_fault(text) and (faults := find_faults(parsed)):
            raise ValidationError(faults)
        return parsed


class PlainTextJSONParser(StrictJSONParser):
    """Parses JSON that is sent as plain text, as some clients do so that browsers ask for no preflight."""

    media_type = "text/plain"
