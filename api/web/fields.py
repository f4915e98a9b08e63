"""The fields and limits that the rooms share."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

MAX_TWEET_CHARACTERS = 10_000
MAX_TWEETS = 1_000
MAX_CHARACTERS_TOGETHER = 300_000
MAX_TOKENS_TOGETHER = 100_000
_MAX_ERRORS = 10


class TweetField(serializers.CharField):
    """A text as it was posted: a string that is neither trimmed nor blank.

    Numbers and the like are refused, not converted. CharField itself refuses NUL and lone surrogates, which the databases cannot
    keep.
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


class RequiredBooleanField(serializers.BooleanField):
    """A required boolean: a checkbox that a form leaves out is an error, not false."""

    default_empty_html = empty

    def to_internal_value(self, data: object) -> bool:
        # Only forms may send strings: they know no booleans.
        if (isinstance(data, str) and is_html_input(self.parent.initial_data)) or isinstance(data, bool):
            return super().to_internal_value(data)
        return self.fail("invalid", input=data)
