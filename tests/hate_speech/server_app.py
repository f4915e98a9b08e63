"""An application that tells the tests what the server does."""

import time
from pathlib import Path

LARGE = 16_000_000  # more than the kernel buffers


def application(environ, start_response):
    path, folder = environ["PATH_INFO"], Path.cwd()
    body = environ["wsgi.input"].read()
    if path == "/wait":
        while not (folder / "released").exists():
            time.sleep(0.01)
    if path == "/gone":
        while not environ["api.is_client_gone"]():
            time.sleep(0.01)
        (folder / "gone").touch()
    refusal = environ.get("api.refusal")
    answer = b"a" * LARGE if path == "/large" else repr((environ["REQUEST_METHOD"], path, refusal, body)).encode()
    start_response(f"{refusal[0] if refusal else 200} -", [("Content-Length", str(len(answer)))])
    return [answer]
