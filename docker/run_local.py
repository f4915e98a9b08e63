"""Run the Procfile's processes on this machine: `make run` calls this once everything is installed.

1. Stop with a message if the data folder or the port is taken, the address is not this machine's, or a setting is wrong.
2. Migrate the database and queue the training, in a process of its own, which frees Django's memory at its end.
3. Start supervisord, which restarts a process that dies.
4. Print the address once the service answers. Ctrl-C stops everything.
"""

import contextlib
import errno
import http.client
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import owned

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from django.core.exceptions import ImproperlyConfigured  # noqa: E402

from hate_speech import environment as settings  # noqa: E402

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
# After this time without an answer, the user is told that something is wrong.
PATIENCE_SECONDS = 30


def write_supervisor_config(data_dir: Path) -> Path:
    """Write supervisord's configuration from the Procfile, and return its path."""
    parts = [SUPERVISOR.format(data_dir=str(data_dir).replace("%", "%%"), root=str(ROOT).replace("%", "%%"))]
    if os.getuid() == 0:
        parts.append("user = root\n")  # without this line supervisord warns
    for line in (ROOT / "Procfile").read_text("utf-8").splitlines():
        name, command = line.split(": ", 1)
        command = f"python docker/owned.py SIGKILL {command}"  # a training is safe from that, and would go on after SIGTERM
        if name != "web":
            command = f"nice -n 10 {command}"  # requests go before trainings, and web starts a second earlier
        parts.append(PROGRAM.format(name=name, command=command))
    path = data_dir / "supervisord.conf"
    path.write_text("".join(parts), "utf-8")
    return path


def find_address(port: int) -> str:
    """Return the IP address to listen on; stop with a message if it or the port cannot be used."""
    host = settings.read_address()
    try:
        # gunicorn uses the IPv4 address of a name, so this does too.
        found = socket.getaddrinfo(host, port, socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn does: a port with connections in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken. Is the service running already? Another port: PORT={port + 1} make run")
        reason = error.strerror or error
        sys.exit(f"The service cannot listen on LISTEN_ADDRESS={host!r}, port {port}: {reason}. The default is 127.0.0.1.")
    return place[0]


def main() -> None:
    port = settings.read_port()
    data_dir = settings.read_data_dir()
    lock = owned.take_folder(data_dir)
    address = ipaddress.ip_address(find_address(port))
    given = settings.without(os.environ, "HATE_SPEECH_DATA_DIR", "LISTEN_ADDRESS", "PORT", "WEB_CONCURRENCY")
    environment = given | {
        "HATE_SPEECH_DATA_DIR": str(data_dir),
        "LISTEN_ADDRESS": str(address),
        "PORT": str(port),
        "WEB_CONCURRENCY": str(settings.read_web_processes()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    if not settings.is_set("HATE_SPEECH_OPEN_ACCESS") and address.is_loopback and not settings.find_signs_of_a_server():
        environment["HATE_SPEECH_OPEN_ACCESS"] = "true"
    print("Starting the service.", flush=True)
    prepared = subprocess.run([sys.executable, __file__, "prepare"], env=environment, cwd=ROOT, pass_fds=[lock], check=False)
    if prepared.returncode:
        sys.exit(prepared.returncode)
    owned.share_folder(lock)
    supervisord = Path(sys.executable).with_name("supervisord")
    command = [sys.executable, ROOT / "docker" / "owned.py", "SIGTERM", supervisord]
    command += ["--nodaemon", "--configuration", write_supervisor_config(data_dir)]
    # Through a pipe: supervisord opens its output anew for each program, which a socket or another user's file does not allow.
    supervisor = subprocess.Popen(
        command, env=environment | {"PYTHONWARNINGS": "ignore"}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    log = threading.Thread(target=copy_output, args=(supervisor.stdout,), daemon=True)
    log.start()
    attend(supervisor, log, address, port)


def copy_output(lines: Iterable[bytes]) -> None:
    for line in lines:
        with contextlib.suppress(OSError):  # nobody reads it any more; the service goes on
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def attend(
    supervisor: subprocess.Popen, log: threading.Thread, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    """Print the address once the service answers, pass Ctrl-C on, and wait for the end."""
    is_stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal is_stopping
        if not is_stopping:
            print("\n  Stopping; this takes some seconds.", flush=True)
        is_stopping = True
        supervisor.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # A service that listens on all addresses is asked on this machine.
    asked = address if not address.is_unspecified else ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
    began, is_warned = time.monotonic(), False
    while supervisor.poll() is None and not is_stopping and not does_answer(str(asked), port):
        if not is_warned and time.monotonic() - began > PATIENCE_SECONDS:
            print("  The service does not answer yet. Its messages above may say why. Ctrl-C stops it.", flush=True)
            is_warned = True
        time.sleep(0.1)
    if supervisor.poll() is None and not is_stopping:
        url = f"http://{f'[{asked}]' if asked.version == 6 else asked}:{port}"
        print(f"\n  Hate speech detector: {url}    API: {url}/docs    Ctrl-C stops it\n", flush=True)
    supervisor.wait()
    log.join()
    if not is_stopping:
        sys.exit("The service has ended; its messages above may say why.")
    print("  Stopped.", flush=True)


def does_answer(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def prepare() -> None:
    """Check the settings, migrate the database, bootstrap the engine and queue the training."""
    import django
    from django.core.checks import ERROR
    from django.core.management import call_command
    from django.core.management.base import CommandError
    from django.db import Error

    from hate_speech.faults import describe_database_fault
    from hate_speech.start import check_start, prepare_process

    try:
        prepare_process()
        django.setup()
        from django.db import connection

        check_start(stops_at=ERROR)
        try:
            connection.ensure_connection()
        except Error:
            sys.exit("The service cannot start: the database at DATABASE_URL does not answer, or refuses this user or password.")
        call_command("prepare")
        call_command("exec_train", skip_checks=False)
    except (CommandError, ImproperlyConfigured) as error:
        sys.exit(f"The service cannot start: {error}")
    except Error as error:
        sys.exit(f"The service cannot start: {describe_database_fault(error)}")


if __name__ == "__main__":
    is_child = sys.argv[1:] == ["prepare"]
    try:
        prepare() if is_child else main()
    except ImproperlyConfigured as error:
        sys.exit(f"The service cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(130 if is_child else "\nStopped.")
