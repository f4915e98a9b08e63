"""gunicorn's configuration, here and in the image. WEB_CONCURRENCY (gunicorn's own variable) is the number of processes."""

import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from hate_speech.environment import read_address, read_port, read_web_processes

try:
    _address = read_address()
    bind = f"{f'[{_address}]' if ':' in _address else _address}:{read_port()}"
    workers = read_web_processes()
except ImproperlyConfigured as error:
    sys.exit(f"The service cannot start: {error}")
worker_class = "hate_speech.server.BufferingWorker"
threads = 4
worker_connections = 500  # below the 1,024 open files that many systems allow a process
keepalive = 15
limit_request_line = 8190  # gunicorn's maximum
# No header sets what only the proxy or the operator may: SCRIPT_NAME, PATH_INFO, the scheme. Django reads X-Forwarded-Proto
# if PROXIES says that there is a proxy.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers = {}
# Heartbeat files in memory: on a busy disk a healthy worker would look hung.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True
accesslog = None
