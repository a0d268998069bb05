"""The faults, a class each. `streamcore.replay.faults` describes them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol, TypeAlias

import attrs
import msgspec

from streamcore.api.errors import InvalidArgumentError
from streamcore.replay.capture import Capture, Chunk, End, Headers, Pause, Step
from streamcore.replay.faults.places import Anywhere, AtEvent, at_least, beyond, split_at_event
from streamcore.replay.formats.event_splitter import event_steps, is_event
from streamcore.replay.headers import unsendable
from streamcore.sse import ServerSentEvent, encode, encode_comment

__all__ = [
    "FAULTS",
    "Comments",
    "Corrupt",
    "Crlf",
    "Cut",
    "Drop",
    "Duplicate",
    "Error",
    "Fault",
    "Nameless",
    "Pings",
    "Stall",
    "Status",
]

Fault: TypeAlias = Callable[[Capture], Capture]
"""Breaks a capture on purpose: gives another one in its place."""


# Faults of the connection


@attrs.frozen
class Cut(Anywhere):
    """The body ends early.

    Attributes:
        broken: Whether the connection fails there; else the body ends in good order, as if that were all.
    """

    broken: bool = attrs.field(default=False, kw_only=True)

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        time = 0.0
        for step in self.split(body):
            if step is None:
                yield End(time, "broken", "the connection was cut on purpose") if self.broken else End(time)
                return
            if not isinstance(step, Pause):
                time = step.time
            yield step


@attrs.frozen
class Stall(Anywhere):
    """Nothing comes for a while, at whatever speed the capture is played.

    Attributes:
        seconds: How long.
    """

    seconds: float = attrs.field(validator=at_least(0, float), kw_only=True)

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        return (Pause(self.seconds) if step is None else step for step in self.split(body))


# Faults of the API


@attrs.frozen
class Error(AtEvent):
    """An `error` event, and then the end, in good order.

    Attributes:
        type: Of the error.
        message: Of the error.
    """

    type: str = attrs.field(default="overloaded_error", kw_only=True)
    message: str = attrs.field(default="Overloaded", kw_only=True)

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        time = 0.0
        for step in split_at_event(body, self.number(body)):
            if step is None:
                yield Chunk(time, _event(_error(self.type, self.message)))
                yield End(time)
                return
            if not isinstance(step, Pause):
                time = step.time
            yield step


_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@attrs.frozen
class Status:
    """Another answer in place of the capture's.

    Attributes:
        code: Its status.
        body: Its body; by default the API's own form of an error, as JSON.
        headers: Its headers; by default the content type of JSON, and `x-should-retry: false`. Without the latter,
            clients may try again, and are answered with the next capture.
    """

    code: int = attrs.field(kw_only=True)
    body: bytes | None = attrs.field(default=None, kw_only=True)
    headers: Headers = attrs.field(
        default=(("content-type", "application/json"), ("x-should-retry", "false")), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.code, int):
            raise InvalidArgumentError(f"code must be a status, not {self.code!r}")
        fault = unsendable(self.code, self.headers)
        if fault is not None:
            raise InvalidArgumentError(fault)

    def __call__(self, capture: Capture) -> Capture:
        body = self.body
        if body is None:
            kind = _ERROR_TYPES.get(self.code, "api_error")
            body = msgspec.json.encode(_error(kind, f"status {self.code} on purpose"))
        return attrs.evolve(capture, status=self.code, headers=self.headers, body=(Chunk(0.0, body), End(0.0)))


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _event(payload: dict[str, Any]) -> bytes:
    return encode(ServerSentEvent(event=payload["type"], data=msgspec.json.encode(payload).decode()))


# Faults of events


class _ChangesPiece(Protocol):
    def __call__(self, piece: bytes, number: int, /) -> Iterable[bytes]: ...


def _pieces(body: Iterable[Step], change: _ChangesPiece, wanted: int | None = None) -> Iterator[Step]:
    """Each event replaced by the pieces that `change` makes of it and its number.

    Raises:
        InvalidArgumentError: The stream has fewer events than `wanted`.
    """
    number = 0
    for step in event_steps(body):
        if isinstance(step, End) and wanted is not None and number <= wanted:
            raise beyond("event", wanted, number)
        if isinstance(step, Chunk) and is_event(step.data):
            for piece in change(step.data, number):
                yield Chunk(step.time, piece)
            number += 1
        else:
            yield step
    if wanted is not None and number <= wanted:
        raise beyond("event", wanted, number)


@attrs.frozen
class Duplicate(AtEvent):
    """An event comes twice."""

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        chosen = self.number(body)
        return _pieces(body, lambda piece, number: (piece, piece) if number == chosen else (piece,), self.event)


@attrs.frozen
class Drop(AtEvent):
    """An event does not come."""

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        chosen = self.number(body)
        return _pieces(body, lambda piece, number: () if number == chosen else (piece,), self.event)


_PAYLOAD = re.compile(rb"(?:^|[\r\n])data: ?([^\r\n]+)")
# No JSON has them, neither in its strings nor between its values; and no line ends with them.
_FORBIDDEN = bytes(code for code in range(0x20) if code not in b"\t\n\r")


@attrs.frozen
class Corrupt(Anywhere):
    """Bytes become such as JSON does not allow. At an event these are bytes of its payload, in random places.

    Attributes:
        count: How many.
    """

    count: int = attrs.field(default=1, validator=at_least(1), kw_only=True)

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        source = random.Random(self.seed)  # noqa: S311  # it makes tests, it keeps no secret
        if self.byte is not None:
            return self._from_byte(body, source, self.byte)
        chosen = self.number(body)
        return _pieces(
            body, lambda piece, number: (self._payload(piece, source) if number == chosen else piece,), self.event
        )

    def _payload(self, piece: bytes, source: random.Random) -> bytes:
        found = _PAYLOAD.search(piece)
        broken = bytearray(piece)
        if found is not None:
            places = range(found.start(1), found.end(1))
            for place in source.sample(places, min(self.count, len(places))):
                broken[place] = source.choice(_FORBIDDEN)
        return bytes(broken)

    def _from_byte(self, body: Iterable[Step], source: random.Random, first: int) -> Iterator[Step]:
        offset = 0
        for step in body:
            if isinstance(step, Chunk):
                begin, end = max(first, offset), min(first + self.count, offset + len(step.data))
                if begin < end:
                    broken = bytearray(step.data)
                    broken[begin - offset : end - offset] = source.choices(_FORBIDDEN, k=end - begin)
                    yield Chunk(step.time, bytes(broken))
                    offset += len(step.data)
                    continue
                offset += len(step.data)
            elif isinstance(step, End) and offset <= first:
                raise beyond("byte", first, offset)
            yield step
        if offset <= first:
            raise beyond("byte", first, offset)


# Harmless, or nearly so


_EVENT_LINE = re.compile(rb"((?:^|(?<=[\r\n]))(?:\xef\xbb\xbf)?)event(?::[^\r\n]*)?(?:\r\n|\r|\n)")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@attrs.frozen
class Nameless:
    """No `event:` lines."""

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(partial(_pieces, change=lambda piece, _: (_EVENT_LINE.sub(rb"\1", piece),)))


@attrs.frozen
class Crlf:
    """Lines end in CRLF."""

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        for step in event_steps(body):
            yield Chunk(step.time, _LINE_END.sub(b"\r\n", step.data)) if isinstance(step, Chunk) else step


@attrs.frozen
class _Between:
    """Something between events.

    Attributes:
        every: How many events come between two of them.
    """

    every: int = attrs.field(default=1, validator=at_least(1), kw_only=True)

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(partial(_pieces, change=self._before))

    def _before(self, piece: bytes, number: int) -> Iterable[bytes]:
        return (self._inserted(), piece) if number and number % self.every == 0 else (piece,)

    def _inserted(self) -> bytes:
        raise NotImplementedError


@attrs.frozen
class Comments(_Between):
    """Comments between events, as servers send them to keep a connection alive.

    Attributes:
        text: Of each.
    """

    text: str = attrs.field(default="keep-alive", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if "\n" in self.text or "\r" in self.text:
            raise InvalidArgumentError(f"text must be a text of one line, not {self.text!r}")

    def _inserted(self) -> bytes:
        return encode_comment(self.text) + b"\n"


@attrs.frozen
class Pings(_Between):
    """Pings between events."""

    def _inserted(self) -> bytes:
        return _event({"type": "ping"})


FAULTS: dict[str, type] = {
    "cut": Cut,
    "stall": Stall,
    "error": Error,
    "status": Status,
    "corrupt": Corrupt,
    "duplicate": Duplicate,
    "drop": Drop,
    "nameless": Nameless,
    "comments": Comments,
    "pings": Pings,
    "crlf": Crlf,
}
"""The faults by the names that they have in texts."""
