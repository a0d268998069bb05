"""Bytes of an event stream to `ServerSentEvent` values and back.

In: bytes, cut anywhere. Out: one `ServerSentEvent` per dispatched event, after the WHATWG standard (HTML, section
9.2, "Server-sent events"). Back: `encode()` and `encode_comment()`.

Costs: linear in the bytes; see `framing`, which takes the bytes apart. Knows nothing of JSON or of messages.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from streamcore._twin import maker, twin
from streamcore.errors import ProtocolError
from streamcore.framing import CR, LF, MAX_RETRY_DIGITS, NAMES, FrameDecoder

__all__ = ["SSEDecoder", "ServerSentEvent", "encode", "encode_comment"]


@attrs.frozen(kw_only=True, weakref_slot=False)  # a slot for weak references would keep its twin from becoming one
class ServerSentEvent:
    """One event of an event stream.

    Attributes:
        event: Its type; `"message"` where the stream names none, as the standard has it.
        data: Its data lines, joined with LF.
        id: The last event id: of this event or, where it has none, of the latest before it that had one.
        retry: The reconnection time that came with this event, in milliseconds.
    """

    event: str = "message"
    data: str
    id: str | None = None
    retry: int | None = None


_Twin = twin(ServerSentEvent)
_make = maker(ServerSentEvent, "event", "data", "id", "retry")


class SSEDecoder(FrameDecoder):
    r"""Decodes an event stream, fed in chunks of any size.

    ```python
    decoder = SSEDecoder()
    decoder.receive_data(b"event: ping\ndata: {}\n\n")
    for event in decoder.events():
        ...
    decoder.receive_eof()
    ```

    Only `LimitExceededError` comes out of `events()`; invalid UTF-8 becomes U+FFFD.

    Args:
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def events(self) -> Iterator[ServerSentEvent]:
        """The events that the bytes so far allow, one by one.

        Raises:
            LimitExceededError: A line, an event or the stream is longer than the limits allow. Events before that
                have been delivered; calling again raises the same.
        """
        chunk = self._chunk
        if self._inside and chunk is not None and self._later is None:
            # A stream in small pieces takes half of the time if they are taken at the call; the generator then finds
            # their lines at hand. What may be over a limit is left to it, as it is iterating that raises.
            tail = self._tail
            if len(tail) + len(chunk) <= self._room:
                if LF not in chunk and CR not in chunk:  # what `_keep` does to most of them, written out
                    tail += chunk
                    self._chunk = None
                elif self._keep(chunk):
                    self._chunk = None
                elif LF in chunk:
                    self._chunk = None
                    self._split(chunk)
        return self._events()

    def _events(self) -> Iterator[ServerSentEvent]:
        while self._chunk is not None or self._lines or self._error is not None:
            # Three lines of the plainest kind, as in `_read_lines`, and what `_make` does; written out, it takes half
            # of the time.
            lines = self._lines
            i = self._next
            last = len(lines) - 2 if self._short and not self._pending else 0
            while i < last and not lines[i + 2]:
                name = NAMES.get(lines[i])
                data = lines[i + 1]
                if name is None or data[:6] != b"data: ":
                    break
                event = _Twin()
                try:
                    event.data = data[6:].decode()
                except UnicodeDecodeError:
                    break
                event.event = name
                event.id = self.last_event_id
                event.retry = None
                event.__class__ = ServerSentEvent
                self._first = i
                self._carried_offset = self._event_retry = None
                self._next = i = i + 3
                yield event
                if i != self._next or lines is not self._lines:  # another iterator went on meanwhile
                    break
            frame = self._next_frame()
            if frame is None:
                return
            name, data = frame
            yield _make(name or "message", data.decode("utf-8", "replace"), self.last_event_id, self._event_retry)


# Encoding


def encode(event: ServerSentEvent, *, newline: bytes = b"\n") -> bytes:
    """The bytes of one event, its blank line included. Decoding them gives the event back.

    Args:
        newline: The line end to use: LF, CR or CRLF.

    Raises:
        ProtocolError: No stream has such an event: its type is empty, its type or id holds a line end, its id NUL,
            its data CR, its retry is negative or has more than 18 digits, or a string of it is not Unicode text.
    """
    if "\r" in event.data:
        raise ProtocolError("data that holds CR cannot be written: the stream would read it as LF", received=event.data)
    if not event.event:
        raise ProtocolError("an event of an empty type cannot be written: the stream would read it as 'message'")
    lines = []
    if event.id is not None:
        if "\0" in event.id:
            raise ProtocolError("an id that holds NUL cannot be written: the stream would ignore it", received=event.id)
        lines.append(_line("id", event.id))
    if event.retry is not None:
        if not 0 <= event.retry < 10**MAX_RETRY_DIGITS:
            raise ProtocolError(f"a retry of {event.retry} ms cannot be written: the stream would ignore it")
        lines.append(_line("retry", str(event.retry)))
    if event.event != "message":
        lines.append(_line("event", event.event))
    lines += [_line("data", part) for part in event.data.split("\n")]
    return b"".join(line + newline for line in [*lines, b""])


def encode_comment(text: str, *, newline: bytes = b"\n") -> bytes:
    """The bytes of a comment; decoders drop it. Servers send one to keep a connection alive.

    Raises:
        ProtocolError: The text holds a line end, or is not Unicode text.
    """
    return _line("", text) + newline


def _line(field: str, value: str) -> bytes:
    if "\n" in value or "\r" in value:
        raise ProtocolError(
            f"a value that holds a line end cannot be written as {field or 'a comment'}", received=value
        )
    try:
        return f"{field}: {value}".encode()
    except UnicodeEncodeError as error:
        raise ProtocolError(f"a lone surrogate cannot be written as {field or 'a comment'}: {error.reason}") from None
