"""The references' server: gunicorn's own threads, as the service had them until 1.1. A slower server of the service shows."""

import os
import time
from pathlib import Path

from gunicorn.workers.gthread import ThreadWorker


class PoliteThreadWorker(ThreadWorker):
    """Lets an idle sibling process accept a new connection first.

    Kept-alive connections stay with the process that accepted them. Without this, the first process to wake sometimes accepts
    all connections that a client opens at once. Then the other core idles, and the throughput is half.
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
limit_request_line = 8190  # gunicorn's maximum; it answers longer lines itself, not in our shape
# Heartbeat files in memory: on a busy disk a healthy worker would look hung.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True
accesslog = None
