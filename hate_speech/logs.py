"""Filters of the log."""

import logging


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
