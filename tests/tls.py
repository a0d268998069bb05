"""A certificate for the loopback interface, for servers in tests."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from server import BOUND


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Write one to `cert.pem` in `folder`: its path, and the context of a server that has it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=BOUND,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
