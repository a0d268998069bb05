"""A wrapped client of the official package beside the bare one: whole calls, over a transport that has no socket."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
from anthropic import Anthropic
from anthropic.lib.bedrock import AnthropicBedrock
from botocore.eventstream import EventStreamBuffer

from benchmarks.pipelines import Pipeline, comparable, response
from streamcore.anthropic import wrap

_BINARY = "application/vnd.amazon.eventstream"
_ASK: dict[str, Any] = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}


class _Transport(httpx2.BaseTransport):
    """Answers each request with the chunks that were set last."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = response(self.chunks)
        if "/model/" in request.url.path:
            answer.headers["content-type"] = _BINARY
        return answer


def _clients() -> tuple[_Transport, Anthropic, AnthropicBedrock]:
    transport = _Transport()
    http = httpx2.Client(transport=transport)
    bedrock = AnthropicBedrock(api_key="none", aws_region="none", http_client=http)
    return transport, Anthropic(api_key="none", http_client=http), bedrock


_transport, _client, _bedrock = _clients()


def _reading(client: Any) -> Callable[[list[bytes]], Any]:
    """Make a pipeline that makes a call and reads all events of its stream, and the message."""
    messages = client.messages

    def run(chunks: list[bytes]) -> Any:
        _transport.chunks = chunks
        with messages.stream(**_ASK) as stream:
            for _ in stream:
                pass
            return stream.get_final_message()

    return run


def _ours(message: Any) -> object:
    return comparable(message.to_dict())


def _theirs(message: Any) -> object:
    return comparable(message.to_dict(mode="json", warnings=False))


def parse_frames(chunks: list[bytes]) -> None:
    """Let botocore's parser read frames, and nothing else."""
    buffer = EventStreamBuffer()
    for chunk in chunks:
        buffer.add_data(chunk)
        for _ in buffer:
            pass


WRAPPED = Pipeline("streamcore", _reading(wrap(_client)), _ours)
BARE = Pipeline("anthropic", _reading(_client), _theirs)
WRAPPED_BEDROCK = Pipeline("streamcore", _reading(wrap(_bedrock)), _ours)
BARE_BEDROCK = Pipeline("anthropic", _reading(_bedrock), _theirs)


def frames_of(payloads: list[bytes]) -> list[bytes]:
    """Return the frames that Bedrock sends these events in."""
    return [_frame(json.dumps({"bytes": base64.b64encode(payload).decode(), "p": "abcdef"})) for payload in payloads]


def _frame(payload: str) -> bytes:
    named = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack(f"!B{len(name)}sBH", len(name), name.encode(), 7, len(value)) + value.encode()
        for name, value in named.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload.encode()
    return frame + struct.pack("!I", zlib.crc32(frame))
