"""Tell what an exchange of a capture is, by its request, the head of its answer and the first event of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import msgspec

from streamcore import StreamCoreError
from streamcore.codec import EVENT_TYPES
from streamcore.sse import ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from streamcore.replay import Capture

__all__ = ["NOT_DECODED", "Kind", "kind_of"]

Kind: TypeAlias = Literal["stream", "message", "failed", "other", "damaged"]
"""What an exchange is: a stream, a complete message, a call of Messages without either, or something else.

One is `damaged` if the file does not say what it is.
"""

NOT_DECODED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a text that is not JSON, or not of the type that was asked for."""

_PATH = "/v1/messages"


def kind_of(capture: Capture) -> Kind:
    """Return what a capture is.

    The answer to a POST to `/v1/messages` is never `other`. An event stream of another path is, if its first payload
    plainly belongs to another protocol.
    """
    from streamcore.api.response import is_event_stream, is_success

    content_type = capture.header("content-type") or ""
    success = is_success(capture.status)
    request = capture.request
    if request is not None and request.method in ("HEAD", "OPTIONS"):
        return "other"
    is_of_messages = request is None or (request.method == "POST" and request.path.endswith(_PATH))
    if success and is_event_stream({"content-type": content_type}):
        return "stream" if is_of_messages or not _is_foreign(capture) else "other"
    if not is_of_messages:
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
    """Whether the first payload of a stream plainly belongs to another protocol, as in those of OpenAI and of MCP."""
    decoder = SSEDecoder()
    try:
        for chunk in capture.chunks:
            decoder.receive_data(chunk.data)
            for event in decoder.events():
                return _is_foreign_event(event)
    except StreamCoreError:  # whoever reads the stream gets it again, and says it
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
