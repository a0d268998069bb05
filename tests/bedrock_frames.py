"""Frames of AWS's binary event stream, encoded by hand: the counterpart of `streamcore.bedrock`.

A frame is: its length, the length of its headers, the CRC of these two, headers, payload, the CRC of all before.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from helpers import payloads_of

BINARY = {"content-type": "application/vnd.amazon.eventstream"}
CHUNK = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}


def header(name: str, value: str) -> bytes:
    """A header of type 7, which is a string."""
    encoded, text = name.encode(), value.encode()
    return bytes([len(encoded)]) + encoded + b"\x07" + struct.pack("!H", len(text)) + text


def frame_of(headers: Mapping[str, str] | bytes, payload: bytes) -> bytes:
    """A frame with these headers, or with these bytes in their place."""
    head = headers if isinstance(headers, bytes) else b"".join(header(*item) for item in headers.items())
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack("!I", zlib.crc32(body))


def chunk_of(payload: bytes | dict[str, Any]) -> bytes:
    """An event of the Messages API in a frame, as Bedrock sends it."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload, separators=(",", ":")).encode()
    padded = {"bytes": base64.b64encode(data).decode(), "p": "abcdefghijklm"}
    return frame_of(CHUNK, json.dumps(padded).encode())


def exception_of(name: str, message: str, **fields: Any) -> bytes:
    """An exception of the service in the middle of a stream."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame_of(headers, json.dumps({"message": message, **fields}).encode())


def binary_of(*payloads: bytes | dict[str, Any]) -> bytes:
    """A binary stream: dicts become frames, bytes go in as they are."""
    return b"".join(payload if isinstance(payload, bytes) else chunk_of(payload) for payload in payloads)


def binary_of_stream(data: bytes) -> list[bytes]:
    """The frames of a well-formed event stream, which has no binary form of its own."""
    return [chunk_of(payload) for payload in payloads_of(data)]
