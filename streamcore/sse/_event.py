"""The server-sent event as a value, and its encoding to bytes."""

from __future__ import annotations

import attrs

from streamcore._objects.construct import constructor
from streamcore.errors import ProtocolError
from streamcore.sse._fields import MAX_RETRY_DIGITS

__all__ = ["ServerSentEvent", "encode", "encode_comment", "make_event"]


@attrs.frozen(kw_only=True, weakref_slot=False)  # No weakref slot: `constructor` needs equal layouts.
class ServerSentEvent:
    """One event of an event stream.

    Attributes:
        event: Its type; `"message"` if the stream names none, as the standard says.
        data: Its data lines, joined with LF.
        id: The last event id: that of this event or, if it has none, of the latest event before it that had one.
        retry: The reconnection time that came with this event, in milliseconds.
    """

    event: str = "message"
    data: str
    id: str | None = None
    retry: int | None = None


make_event = constructor(ServerSentEvent, "event", "data", "id", "retry")


def encode(event: ServerSentEvent, *, newline: bytes = b"\n") -> bytes:
    """Return the bytes of one event, with its blank line. Decoding them gives the event back.

    Args:
        event: The event.
        newline: The line end to use: LF, CR or CRLF.

    Raises:
        ProtocolError: No stream can carry this event: its type is empty, its type or id contains a line end, its id
            contains NUL, its data contains CR, its retry is negative or has more than 18 digits, or one of its strings
            has a lone surrogate.
    """
    if "\r" in event.data:
        raise ProtocolError("cannot write data that contains CR: the stream would read it as LF", received=event.data)
    if not event.event:
        raise ProtocolError("cannot write an event with an empty type: the stream would read it as 'message'")
    lines = []
    if event.id is not None:
        if "\0" in event.id:
            raise ProtocolError("cannot write an id that contains NUL: the stream would ignore it", received=event.id)
        lines.append(_line("id", event.id))
    if event.retry is not None:
        if not 0 <= event.retry < 10**MAX_RETRY_DIGITS:
            raise ProtocolError(f"cannot write a retry of {event.retry} ms: the stream would ignore it")
        lines.append(_line("retry", str(event.retry)))
    if event.event != "message":
        lines.append(_line("event", event.event))
    lines += [_line("data", part) for part in event.data.split("\n")]
    return b"".join(line + newline for line in [*lines, b""])


def encode_comment(text: str, *, newline: bytes = b"\n") -> bytes:
    """Return the bytes of a comment, which decoders ignore. Servers send one to keep a connection alive.

    Args:
        text: The comment.
        newline: The line end to use: LF, CR or CRLF.

    Raises:
        ProtocolError: The text contains a line end or a lone surrogate.
    """
    return _line("", text) + newline


def _line(field: str, value: str) -> bytes:
    name = field or "a comment"
    if "\n" in value or "\r" in value:
        raise ProtocolError(f"cannot write a value that contains a line end as {name}", received=value)
    try:
        return f"{field}: {value}".encode()
    except UnicodeEncodeError as error:
        raise ProtocolError(f"cannot write a lone surrogate as {name}: {error.reason}") from None
