"""What tests of redaction need: requests with a secret, and what is left of it in a file and in a body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamcore.replay import Capture, CapturedRequest, Chunk, Redaction, write_captures

URL = "https://api.anthropic.com/v1/messages"
SECRET = "TOPSECRET-123456"


def written(tmp_path: Path, capture: Capture, redaction: Redaction | None = None) -> bytes:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture], redaction=redaction or Redaction())
    return path.read_bytes()


def asked(**fields: Any) -> Capture:
    return Capture(request=CapturedRequest(**{"url": URL, **fields}))


def masked(data: bytes, *secrets: str, size: int | None = None) -> bytes:
    """The body of an answer, in chunks of so many bytes, without what is secret in it."""
    chunks = [data] if size is None else [data[at : at + size] for at in range(0, len(data), size)]
    found = Redaction(secrets=secrets).redact(Capture(body=[Chunk(0, chunk) for chunk in chunks]))
    assert [len(chunk.data) for chunk in found.chunks] == [len(chunk) for chunk in chunks]
    return found.data
