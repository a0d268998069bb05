"""The content of a frame as a server-sent event.

| `:message-type` | what the frame has | the event |
| --- | --- | --- |
| `event`, of type `chunk` | an event of the Messages API, in base64 | this event, its bytes unchanged |
| `event`, of another type | something new | an event with the frame's type and the members of its JSON |
| `exception` | an exception, as `throttlingException` | an `error` event with this type and its HTTP status |
| `error` | another failure: a code and a message | an `error` event with the code as its type |

The frame of type `initial-response`, which says nothing, is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from streamcore.errors import DecodeError, excerpt

__all__ = ["server_sent_event"]


class _Chunk(msgspec.Struct, rename={"data": "bytes"}):
    """The payload of a `chunk`: the event in base64. Other members are padding against the guessing of lengths."""

    data: bytes


class _Typed(msgspec.Struct):
    type: str


# What msgspec raises for JSON that is wrong, has broken UTF-8 in a string, or nests too deep.
_JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_type = msgspec.json.Decoder(_Typed).decode

# The exceptions of a `ResponseStream`, and the HTTP statuses that the same exceptions have before a stream begins.
# Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html.
_STATUSES = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}


def server_sent_event(headers: Mapping[str, Any], payload: bytes) -> bytes | None:
    """Return the content of a frame as a server-sent event, or None if it says nothing.

    Raises:
        DecodeError: The headers are not those of an event, or the payload is not what they say.
    """
    kind = _text(headers, ":message-type")
    if kind == "exception":
        return _failure(_text(headers, ":exception-type"), _members(payload))
    if kind == "error":
        message = headers.get(":error-message", "")
        if isinstance(message, bytes):  # a header may be of any type
            message = message.decode("utf-8", "replace")
        return _failure(_text(headers, ":error-code"), {"message": message})
    if kind != "event":
        raise DecodeError(f"the header ':message-type' must be event, exception or error, not {kind!r}")
    event_type = _text(headers, ":event-type")
    if event_type == "chunk":
        try:
            return _event(_decode_chunk(payload).data)
        except _JSON_ERRORS as error:
            raise DecodeError(f"the payload is not a chunk in base64: {error}", received=payload) from None
    if event_type == "initial-response":
        return None
    return _event(_json({**_members(payload), "type": event_type}))


def _text(headers: Mapping[str, Any], name: str) -> str:
    value = headers.get(name)
    if not isinstance(value, str):
        raise DecodeError(f"the header {name!r} must be a string, not {excerpt(repr(value))}")
    return value


def _members(payload: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, or what came in its place as the `message`."""
    try:
        value = msgspec.json.decode(payload)
    except _JSON_ERRORS:
        return {"message": payload.decode("utf-8", "replace")}
    return value if isinstance(value, dict) else {"message": value}


def _failure(name: str, members: dict[str, Any]) -> bytes:
    # AWS writes the first letter of its names in either case.
    status = members.get("originalStatusCode")
    if type(status) is not int or not 400 <= status <= 599:
        status = _STATUSES.get(name[:1].lower() + name[1:])
    error = {**members, "type": name} | ({} if status is None else {"status_code": status})
    return _event(_json({"type": "error", "error": error}))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(payload: bytes) -> bytes:
    """Return a payload as a server-sent event, named after its type as the API does it."""
    try:
        name = _decode_type(payload).type
    except _JSON_ERRORS:
        name = ""  # the decoder of the event says what is wrong with it
    data = payload
    if b"\n" in payload or b"\r" in payload:  # between the tokens of JSON, where a line end means nothing
        data = b"\ndata: ".join(payload.splitlines())
    if not name.isprintable() or not name:
        return b"data: %b\n\n" % data
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
