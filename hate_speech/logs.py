"""What the log says, and what it never says: a text, a query or a key."""

import logging
import traceback
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class QuietSweeps(logging.Filter):
    """Makes what Celery says of each sweep a message of level DEBUG: there is one every 20 seconds. Its errors stay."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.INFO and "queue_stalled_trainings" in record.getMessage():
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return logging.getLogger().isEnabledFor(logging.DEBUG)
        return True


class OnlyFaults(logging.Filter):
    """Logs answers with a 5xx status except 503: no callers' errors, and no 503 before the first training."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 500)
        return status >= 500 and status != 503


class FormatterWithoutValues(logging.Formatter):
    """Writes of an exception its type and where it was raised, not its message: that may quote what a caller sent."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  (the name that logging calls)
        lines = []
        error: BaseException | None = ei[1]
        while error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            lines.append(f"Traceback (most recent call last):\n{frames}\n{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nraised while handling:\n".join(lines)
