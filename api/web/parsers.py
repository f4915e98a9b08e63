"""JSON as this service takes it."""

import json

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


def _refuse_constant(name: str):
    raise ValueError(f"{name} is not JSON.")


class StrictJSONParser(BaseParser):
    """Parses UTF-8 JSON; NaN, and a body that nests too deeply, are the caller's errors."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
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
