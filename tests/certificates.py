"""Certificates of the tests' own."""

import subprocess
from pathlib import Path


def make_certificate(folder: Path, name: str) -> None:
    """Write `certificate.pem`, which signs itself, and `key.pem`; the name is as "DNS:api.example.org" or "IP:127.0.0.1"."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", folder / "key.pem", "-out", folder / "certificate.pem")
    command = ["openssl", "req", "-x509", *curve, "-subj", "/CN=tests", "-addext", f"subjectAltName={name}", *files]
    subprocess.run(command, check=True, capture_output=True)
