"""The fields and limits that the rooms share."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

MAX_TWEET_CHARACTERS = 10_000
MAX_TWEETS = 1_000
MAX_CHARACTERS_TOGETHER = 300_000
MAX_TOKENS_TOGETHER = 100_000
_MAX_ERRORS = 10


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": MAX_TWEET_CHARACTERS, "pattern": r"\S"})
class TweetField(serializers.CharField):
    """A text as it was posted: a string that is neither trimmed nor blank.

    Numbers and the like are refused, not converted.
    """

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max_length=MAX_TWEET_CHARACTERS, trim_whitespace=False, required=required)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip():
            self.fail("blank")
        return data


class CountedListField(serializers.ListField):
    """A list that is counted before its items are validated. It reports the errors of the first ten bad items only.

    DRF validates every item and keeps every error: a minute for a body of tiny ones.
    """

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        valid: list[Any] = []
        errors: dict[Any, Any] = {}
        for index, item in enumerate(data):
            try:
                valid.append(self.child.run_validation(item))
            except serializers.ValidationError as error:
                errors[index] = error.detail
                if len(errors) == _MAX_ERRORS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return valid


class StrictBooleanField(serializers.BooleanField):
    """A boolean, and nothing that could be taken for one. Only forms may send strings: they know no booleans."""

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        value = super().get_value(dictionary)
        if isinstance(value, str) and is_html_input(dictionary):
            return True if value in self.TRUE_VALUES else False if value in self.FALSE_VALUES else value
        return value

    def to_internal_value(self, data: object) -> bool:
        return data if isinstance(data, bool) else self.fail("invalid", input=data)


class RequiredBooleanField(StrictBooleanField):
    """A required boolean: a checkbox that a form leaves out is an error, not false."""

    default_empty_html = empty
