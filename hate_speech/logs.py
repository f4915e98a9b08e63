"""Filters of the log."""

import logging


class OnlyFaults(logging.Filter):
    """Logs answers with a 5xx status except 503: no callers' errors, and no 503 before the first training."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 500)
        return status >= 500 and status != 503
