"""Turn a stream into the complete message that it adds up to, for a request without `stream: true`; and the reverse."""

from __future__ import annotations

import json
from typing import Any

import attrs
import msgspec

from streamcore import MessageEngine, ProtocolError
from streamcore.errors import error_from_event
from streamcore.replay.capture import Capture, CapturedRequest, Chunk
from streamcore.replay.formats.sse import is_stream
from streamcore.replay.playing.players import AsyncPlayer
from streamcore.sse import ServerSentEvent, encode
from streamcore.types import ErrorEvent

__all__ = ["Accumulated", "accumulate", "error_body", "stream_of", "wants_message"]

_PATH = "/v1/messages"
_JSON = ("content-type", "application/json")


def error_body(kind: str, message: str) -> bytes:
    """Return an error in the API's form, as JSON in ASCII: a message may quote a lone surrogate."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


@attrs.frozen
class _Asked:
    messages: msgspec.Raw
    stream: bool = False


def wants_message(request: CapturedRequest, capture: Capture) -> bool:
    """Whether a request asks the endpoint for a complete message, and the capture is a stream."""
    if request.method != "POST" or not request.path.endswith(_PATH) or not is_stream(capture):
        return False
    try:
        return not msgspec.json.decode(request.body, type=_Asked).stream
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


class Accumulated:
    """Makes the answer without `stream: true` from the bytes of a stream.

    Args:
        name: The name of the stream in messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._engine = MessageEngine(multiple_messages=True)
        self._answer: Capture | None = None

    def receive_data(self, data: bytes) -> bool:
        """Take the next bytes. Return whether the answer is known, whatever follows."""
        self._engine.receive_data(data)
        self._read()
        return self._answer is not None

    def receive_eof(self) -> Capture:
        """Return the message, or the error that the stream reported, or an error that says why it failed."""
        if self._answer is None:
            self._engine.receive_eof()
            self._read()
        return self._answer or _json(200, self._engine.final_message.to_json())

    def _read(self) -> None:
        try:
            for event in self._engine.events():
                if isinstance(event, ErrorEvent):
                    status = error_from_event(event, response=None, snapshot=None).status_code
                    self._answer = _json(status, event.to_json())
                    return
        except ProtocolError as error:
            said = f"the stream {self._name} does not add up to a message: {error}"
            self._answer = Capture(
                status=500,
                headers=(_JSON, ("x-should-retry", "false")),  # a retry would not help
                body=(Chunk(0.0, error_body("api_error", said)),),
            )


async def accumulate(capture: Capture, **options: Any) -> Capture:
    """Play the stream of a capture, and return the answer that it adds up to.

    Args:
        capture: The stream.
        **options: The options of `AsyncPlayer`. Its `failures` are raised.
    """
    accumulated = Accumulated(capture.name)
    player = AsyncPlayer(capture.body, **options)
    async for data in player:
        if accumulated.receive_data(data):
            await player.aclose()
    return accumulated.receive_eof()


def stream_of(message: dict[str, Any]) -> bytes:
    """Return an event stream that adds up to a complete message. Each block is complete in its start event."""
    stopped = {name: message[name] for name in _STOPPED if name in message}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, **dict.fromkeys(stopped), "content": []}}
    ]
    for index, block in enumerate(message["content"]):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": stopped, "usage": message["usage"]})
    events.append({"type": "message_stop"})
    return b"".join(
        encode(ServerSentEvent(event=event["type"], data=msgspec.json.encode(event).decode())) for event in events
    )


# Fields that a `message_delta` sets.
_STOPPED = ("stop_reason", "stop_sequence", "stop_details")


def _json(status: int, text: str) -> Capture:
    return Capture(status=status, headers=(_JSON,), body=(Chunk(0.0, text.encode()),))
