"""gunicorn's configuration, here and in the image. WEB_CONCURRENCY (gunicorn's own variable) is the number of processes."""

import sys
import time
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from gunicorn.workers.gthread import ThreadWorker

from hate_speech.environment import read_address, read_port, read_web_processes


class PoliteThreadWorker(ThreadWorker):
    """Lets an idle sibling process accept a new connection first.

    Kept-alive connections stay with the process that accepted them. Without this, the first process to wake sometimes accepts
    all connections that a client opens at once. Then the other core idles, and the throughput is half.
    """

    def accept(self, listener):
        if self.nr_conns:
            time.sleep(0.0002)
        super().accept(listener)


try:
    _address = read_address()
    bind = f"{f'[{_address}]' if ':' in _address else _address}:{read_port()}"
    workers = read_web_processes()
except ImproperlyConfigured as error:
    sys.exit(f"The service cannot start: {error}")
worker_class = PoliteThreadWorker
threads = 4
keepalive = 15
limit_request_line = 8190  # gunicorn's maximum; it answers longer lines itself, not in our shape
# Heartbeat files in memory: on a busy disk a healthy worker would look hung.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True
accesslog = None
