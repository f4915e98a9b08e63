"""A web server of the tests' own, for what the service fetches from the world."""

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """Answers each path as `pages` says: bytes, or a function from the request's handler to (status, headers, body)."""

    def __init__(self):
        self.pages: dict[str, bytes | Callable] = {}
        self.asked: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                page = web.pages.get(self.path.partition("?")[0], lambda handler: (404, {}, b"nothing here"))
                status, headers, body = page(self) if callable(page) else (200, {}, page)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # it was given up
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
