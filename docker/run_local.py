"""Run the Procfile's processes on this machine: `make run` calls this once everything is installed.

Each process that dies is started again while the others go on. Ctrl-C stops them all.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.setdefault("HATE_SPEECH_DATA_DIR", str(ROOT / "var"))).absolute()
PORT = os.environ.setdefault("PORT", "8000")
SUPERVISOR = """\
[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {data_dir}/supervisord.pid
directory = {root}
loglevel = warn
"""
PROGRAM = """
[program:{name}]
command = {command}
autorestart = true
startretries = 1000
stopasgroup = true
killasgroup = true
stopwaitsecs = 10
stdout_logfile = /dev/stdout
stdout_logfile_maxbytes = 0
redirect_stderr = true
"""


def write_supervisor_config() -> Path:
    """Write what supervisord reads, from the Procfile, and return its path."""
    parts = [SUPERVISOR.format(data_dir=str(DATA_DIR).replace("%", "%%"), root=str(ROOT).replace("%", "%%"))]
    if os.getuid() == 0:
        parts.append("user = root\n")  # said outright, it is no warning
    for line in (ROOT / "Procfile").read_text("utf-8").splitlines():
        name, command = line.split(": ", 1)
        if name != "web":
            command = f"nice -n 10 {command}"  # answering goes before training, and web is up a second earlier
        parts.append(PROGRAM.format(name=name, command=command))
    path = DATA_DIR / "supervisord.conf"
    path.write_text("".join(parts), "utf-8")
    return path


def is_free(port: int) -> bool:
    """Return whether gunicorn could listen on a port of this machine's own address."""
    with socket.socket() as probe:
        # As gunicorn will: a port whose last connections linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def main() -> None:
    if not (PORT.isdecimal() and 0 < int(PORT) < 65536):
        sys.exit(f"PORT={PORT!r} is not valid. It takes a number from 1 to 65535.")
    if not is_free(int(PORT)):
        sys.exit(f"Port {PORT} is taken. Is the service running already? Another port: PORT={int(PORT) + 1} make run")
    if ipaddress.ip_address(os.environ.get("LISTEN_ADDRESS", "127.0.0.1")).is_loopback:
        os.environ.setdefault("HATE_SPEECH_OPEN_ACCESS", "true")
    os.chdir(ROOT)
    prepare()
    config = write_supervisor_config()
    print(
        f"\n  Hate speech detector: http://127.0.0.1:{PORT}    API: http://127.0.0.1:{PORT}/docs    Ctrl-C stops it\n", flush=True
    )
    binaries = Path(sys.executable).parent
    os.environ |= {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    os.execv(binaries / "supervisord", ["supervisord", "--nodaemon", "--configuration", str(config)])


def prepare() -> None:
    """Bring the database up to date and queue the training: in one process, since starting Django takes a second."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hate_speech.settings")
    sys.path.insert(0, str(ROOT))
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        django.setup()
        from django.conf import settings
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        if not settings.OPEN_ACCESS:
            call_command("check", deploy=True, fail_level="ERROR")
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0)  # also with nothing to do it would take half a second
        call_command("exec_train", skip_checks=False)
    except (ImproperlyConfigured, SystemCheckError) as error:
        sys.exit(f"The service cannot start: {error}")


if __name__ == "__main__":
    main()
