"""Classify the exchanges of a capture by their request, the head of the answer and the first event of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import msgspec

from streamcore import StreamCoreError
from streamcore.codec import EVENT_TYPES
from streamcore.sse import ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from streamcore.replay import Capture

Kind: TypeAlias = Literal["stream", "message", "failed", "other", "damaged"]
"""The kind of an exchange: a stream, a complete message, a failed call, something else, or damaged.

A call of Messages is `failed` if it got neither a stream nor a message; mostly it got an error. An exchange is
`damaged` if the capture file is broken there.
"""

NOT_DECODED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""The exceptions that msgspec raises for text that is not JSON, or JSON of another type."""

_PATH = "/v1/messages"


def kind_of(capture: Capture) -> Kind:
    """Return the kind of a capture.

    A POST to `/v1/messages` is never `other`. An event stream from another path is `other` if its first payload clearly
    belongs to another protocol.
    """
    from streamcore.api.response import is_event_stream, is_success

    content_type = capture.header("content-type") or ""
    success = is_success(capture.status)
    request = capture.request
    if request is not None and request.method in ("HEAD", "OPTIONS"):
        return "other"
    is_messages_call = request is None or (request.method == "POST" and request.path.endswith(_PATH))
    if success and is_event_stream({"content-type": content_type}):
        return "stream" if is_messages_call or not _is_foreign(capture) else "other"
    if not is_messages_call:
        return "other"
    return "message" if success and _is_message(capture) else "failed"


@attrs.frozen
class _Message:
    type: Literal["message"]
    content: list[msgspec.Raw]
    usage: msgspec.Raw


def _is_message(capture: Capture) -> bool:
    try:
        msgspec.json.decode(capture.data, type=_Message)
    except NOT_DECODED:
        return False
    return True


@attrs.frozen
class _Payload:
    type: Any = None
    error: Any = None
    jsonrpc: Any = None


def _is_foreign(capture: Capture) -> bool:
    """Return whether the first payload of a stream clearly belongs to another protocol, such as OpenAI's or MCP."""
    decoder = SSEDecoder()
    try:
        for chunk in capture.chunks:
            decoder.receive_data(chunk.data)
            for event in decoder.events():
                return _is_foreign_event(event)
    except StreamCoreError:  # the reader of the stream will get the same error, and reports it
        pass
    return False


def _is_foreign_event(event: ServerSentEvent) -> bool:
    if event.event in EVENT_TYPES:
        return False
    try:
        payload = msgspec.json.decode(event.data, type=_Payload)
    except NOT_DECODED:
        return False  # a broken payload may be one of ours
    if isinstance(payload.type, str) and payload.type in EVENT_TYPES:
        return False
    return payload.error is None or payload.jsonrpc is not None
