"""Turn a stream into the complete message that it adds up to, for a request without `stream: true`; and the reverse."""

from __future__ import annotations

import json
from typing import Any

import attrs
import msgspec

from streamcore import MessageEngine, ProtocolError
from streamcore._steps import Steps, run_async
from streamcore.errors import error_from_event, error_type_of
from streamcore.replay.capture import Capture, CapturedRequest, Chunk
from streamcore.replay.formats.sse import is_stream
from streamcore.replay.playing.players import AsyncPlayer, SyncPlayer
from streamcore.sse import ServerSentEvent, encode
from streamcore.types import ErrorEvent

_PATH = "/v1/messages"
_JSON = ("content-type", "application/json")


def error_body(status: int, message: str) -> bytes:
    """Return an error in the API's form, as JSON in ASCII: a message may quote a lone surrogate."""
    return json.dumps({"type": "error", "error": {"type": error_type_of(status), "message": message}}).encode()


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


def accumulating(player: SyncPlayer | AsyncPlayer, name: str) -> Steps[Capture]:
    """Play a stream, and return its message, the error that it reported, or an error that says why it failed.

    Args:
        player: Plays the stream. Its exceptions are raised.
        name: The name of the stream in messages.
    """
    next_chunk, close = (next, player.close) if isinstance(player, SyncPlayer) else (anext, player.aclose)
    engine = MessageEngine(multiple_messages=True)
    try:
        while (data := (yield next_chunk, (player, None))) is not None:
            engine.receive_data(data)
            if (error := _error_in(engine)) is not None:
                yield close, ()
                return error
        engine.receive_eof()
        return _error_in(engine) or _json(200, engine.final_message.model_dump_json())
    except ProtocolError as error:
        yield close, ()
        said = f"the stream {name} does not add up to a message: {error}"
        return Capture(
            status=500,
            headers=(_JSON, ("x-should-retry", "false")),  # a retry would not help
            body=(Chunk(0.0, error_body(500, said)),),
        )


def _error_in(engine: MessageEngine) -> Capture | None:
    """Read the events so far. Return the answer for an `error` event among them, or None."""
    for event in engine.events():
        if isinstance(event, ErrorEvent):
            return _json(error_from_event(event, response=None, snapshot=None).status_code, event.model_dump_json())
    return None


async def accumulate(capture: Capture, **options: Any) -> Capture:
    """Play a stream, and return the answer that it adds up to. The options are those of `AsyncPlayer`."""
    answer: Capture = await run_async(accumulating(AsyncPlayer(capture.body, **options), capture.name))
    return answer


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
