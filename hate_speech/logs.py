"""What is kept out of the log."""

import logging


class OnlyFaults(logging.Filter):
    """Passes the answers that are a fault of ours: not the callers' errors, nor the 503 before the first training."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 500)
        return status >= 500 and status != 503
