"""The parser of JSON bodies."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


class StrictJSONParser(BaseParser):
    """Parses UTF-8 JSON; NaN and bodies that nest too deeply are a 400."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read()
        if not body:
            raise ParseError('The body is empty. Send a JSON object such as {"tweet": "..."}.')
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except RecursionError as error:
            raise ParseError("The body nests too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
