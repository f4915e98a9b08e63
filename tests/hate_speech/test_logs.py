"""What the log says of an exception, and of an answer."""

import logging
import sys

from hate_speech.logs import FormatterWithoutValues, OnlyFaults

SECRET = "a rather recognisable sentence"


def record_of(error: BaseException | None = None, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("a", logging.ERROR, "a.py", 1, "It failed.", (), sys.exc_info() if error else None)
    record.__dict__.update(more)
    return record


def test_an_exception_is_logged_with_its_type_and_place_and_never_with_its_message():
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        said = FormatterWithoutValues("%(message)s").format(record_of(error))
    assert said.startswith("It failed.\n")
    assert "builtins.KeyError" in said
    assert "builtins.ValueError" in said
    assert "test_logs.py" in said
    assert SECRET not in said


def test_only_our_own_faults_are_logged():
    assert [OnlyFaults().filter(record_of(status_code=status)) for status in (400, 404, 413, 503)] == [False] * 4
    assert OnlyFaults().filter(record_of(status_code=500))
    assert OnlyFaults().filter(record_of())


def test_what_django_says_of_callers_errors_is_filtered_whichever_logger_says_it(settings):
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["faults"]
