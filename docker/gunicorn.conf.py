"""How gunicorn serves, here and in the image. WEB_CONCURRENCY (gunicorn's own variable) sets the number of processes."""

import os
import time
from pathlib import Path

from gunicorn.workers.gthread import ThreadWorker


class PoliteThreadWorker(ThreadWorker):
    """Leaves a new connection to an idle sibling first.

    Kept-alive connections stay with the process that accepted them. Without this, the process that wakes first takes all
    that a client opens at once, in one start of three here, and the other core idles: half the throughput.
    """

    def accept(self, listener):
        if self.nr_conns:
            time.sleep(0.0002)
        super().accept(listener)


_address = os.environ.get("LISTEN_ADDRESS", "127.0.0.1").strip("[]")
bind = f"{f'[{_address}]' if ':' in _address else _address}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = PoliteThreadWorker
threads = 4
keepalive = 15
limit_request_line = 8190  # as much as gunicorn allows; what is longer gets an answer that is not in our shape
# Heartbeat files in memory: on a busy disk they would make a healthy worker look hung.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True
accesslog = None
