"""A real nginx in front of a service, set up as docs/run.md says."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from .certificates import make_certificate
from .documents import ROOT, blocks
from .service import free_port, wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HOST = "api.example.org"
_MAIN = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def documented_server() -> str:
    """Return the server block of the page."""
    [block] = [block for block in blocks((ROOT / "docs/run.md").read_text("utf-8")) if block.language == "nginx"]
    return block.text


class Nginx:
    """Serves the documented block on a port of its own, with a certificate of its own.

    Parameters
    ----------
    folder : Path
    upstream : int
        The service's port.
    location : str
        What stands in place of the block's `/`.
    """

    def __init__(self, folder: Path, upstream: int, location: str = "/"):
        if not NGINX:
            pytest.skip("no nginx on this machine (apt-get install nginx-light)")
        folder.mkdir()
        self.port = free_port()
        self.authority = folder / "certificate.pem"
        make_certificate(folder, f"DNS:{HOST}")
        server = documented_server()
        for written, here in {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            f"/etc/ssl/certs/{HOST}.pem": str(self.authority),
            f"/etc/ssl/private/{HOST}.key": str(folder / "key.pem"),
            "http://127.0.0.1:8000": f"http://127.0.0.1:{upstream}",
            "location /": f"location {location}",
        }.items():
            assert server.count(written) == 1, written
            server = server.replace(written, here)
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, server=server))
        self._process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
        wait_until((folder / "nginx.pid").exists, 10, "nginx")

    def trust(self) -> ssl.SSLContext:
        """Return what a client trusts: this certificate, and no other."""
        return ssl.create_default_context(cafile=self.authority)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
