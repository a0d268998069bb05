"""The faults, each a class. The map, `streamcore/README.md`, says where a new one goes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias

import attrs
import msgspec

from streamcore.errors import InvalidArgumentError, error_type_of
from streamcore.replay.capture import Capture, Chunk, End, Headers, Pause, Step
from streamcore.replay.faults.places import Anywhere, AtEvent, BodyFault, at_least, beyond
from streamcore.replay.formats.event_splitter import event_steps, is_event
from streamcore.replay.headers import unsendable
from streamcore.sse import ServerSentEvent, encode, encode_comment

__all__ = [
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
"""Breaks a capture on purpose: returns another one in its place."""


# Faults of the connection


@attrs.frozen
class Cut(Anywhere):
    """The body ends early.

    Attributes:
        broken: Whether the connection fails there. Otherwise the body ends normally, as if it was complete.
    """

    broken: bool = attrs.field(default=False, kw_only=True)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        time = yield from _until(self.split(body))
        yield End(time, "broken", "the connection was cut on purpose") if self.broken else End(time)


def _until(steps: Iterable[Step | None]) -> Generator[Step, None, float]:
    """Yield the steps up to the None among them, and return its time."""
    time = 0.0
    for step in steps:
        if step is None:
            break
        if not isinstance(step, Pause):
            time = step.time
        yield step
    return time


@attrs.frozen
class Stall(Anywhere):
    """Nothing arrives for a while, whatever the speed.

    Attributes:
        seconds: How long.
    """

    seconds: float = attrs.field(validator=at_least(0, float), kw_only=True)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        return (Pause(self.seconds) if step is None else step for step in self.split(body))


# Faults of the API


@attrs.frozen
class Error(AtEvent):
    """An `error` event, and then a normal end.

    Attributes:
        type: The type of the error.
        message: The message of the error.
    """

    type: str = attrs.field(default="overloaded_error", kw_only=True)
    message: str = attrs.field(default="Overloaded", kw_only=True)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        time = yield from _until(self.split(body))
        yield Chunk(time, _event(_error(self.type, self.message)))
        yield End(time)


@attrs.frozen
class Status:
    """Another answer instead of the captured one.

    Attributes:
        code: The status.
        body: The body; by default an error in the API's form, as JSON.
        headers: The headers; by default the content type of JSON, and `x-should-retry: false`. Without the latter,
            clients may retry and get the next capture.
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
            body = msgspec.json.encode(_error(error_type_of(self.code), f"status {self.code} on purpose"))
        return attrs.evolve(capture, status=self.code, headers=self.headers, body=(Chunk(0.0, body), End(0.0)))


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _event(payload: dict[str, Any]) -> bytes:
    return encode(ServerSentEvent(event=payload["type"], data=msgspec.json.encode(payload).decode()))


# Faults of events


def _pieces(
    body: Iterable[Step], change: Callable[[bytes, int], Iterable[bytes]], wanted: int | None = None
) -> Iterator[Step]:
    """Replace each event by the pieces that `change` makes of it and its number.

    Raises:
        InvalidArgumentError: The stream has fewer events than `wanted`.
    """
    number = 0
    for step in chain(event_steps(body), (None,)):  # a body may lack its `End`
        if wanted is not None and number <= wanted and (step is None or isinstance(step, End)):
            raise beyond("event", wanted, number)
        if isinstance(step, Chunk) and is_event(step.data):
            for piece in change(step.data, number):
                yield Chunk(step.time, piece)
            number += 1
        elif step is not None:
            yield step


@attrs.frozen
class _OneEvent(AtEvent):
    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        chosen = self.number(body)
        return _pieces(body, lambda piece, number: self._instead(piece) if number == chosen else (piece,), self.event)

    def _instead(self, piece: bytes) -> Iterable[bytes]:
        raise NotImplementedError


@attrs.frozen
class Duplicate(_OneEvent):
    """An event comes twice."""

    def _instead(self, piece: bytes) -> Iterable[bytes]:
        return piece, piece


@attrs.frozen
class Drop(_OneEvent):
    """An event is missing."""

    def _instead(self, piece: bytes) -> Iterable[bytes]:
        return ()


_PAYLOAD = re.compile(rb"(?:^|[\r\n])data: ?([^\r\n]+)")
# JSON does not allow them in strings or between values, and no line ends with them.
_FORBIDDEN = bytes(code for code in range(0x20) if code not in b"\t\n\r")


@attrs.frozen
class Corrupt(_OneEvent, Anywhere):
    """Bytes that JSON does not allow. At an event they replace bytes of its payload, in random places.

    Attributes:
        count: How many bytes.
    """

    count: int = attrs.field(default=1, validator=at_least(1), kw_only=True)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        return super()._change(body) if self.byte is None else self._from_byte(body, self.byte)

    def _instead(self, piece: bytes) -> Iterable[bytes]:
        source = random.Random(self.seed)  # noqa: S311  # it makes tests, it keeps no secret
        found = _PAYLOAD.search(piece)
        broken = bytearray(piece)
        if found is not None:
            places = range(found.start(1), found.end(1))
            for place in source.sample(places, min(self.count, len(places))):
                broken[place] = source.choice(_FORBIDDEN)
        return (bytes(broken),)

    def _from_byte(self, body: Iterable[Step], first: int) -> Iterator[Step]:
        source = random.Random(self.seed)  # noqa: S311  # it makes tests, it keeps no secret
        offset = 0
        for step in chain(body, (None,)):  # a body may lack its `End`
            if offset <= first and (step is None or isinstance(step, End)):
                raise beyond("byte", first, offset)
            if isinstance(step, Chunk):
                data = bytearray(step.data)
                place = slice(max(first - offset, 0), max(first + self.count - offset, 0))
                data[place] = source.choices(_FORBIDDEN, k=len(data[place]))
                offset += len(data)
                step = Chunk(step.time, bytes(data))
            if step is not None:
                yield step


# Changes that a client should not notice


_EVENT_LINE = re.compile(rb"((?:^|(?<=[\r\n]))(?:\xef\xbb\xbf)?)event(?::[^\r\n]*)?(?:\r\n|\r|\n)")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@attrs.frozen
class Nameless(BodyFault):
    """No `event:` lines."""

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        return _pieces(body, lambda piece, _: (_EVENT_LINE.sub(rb"\1", piece),))


@attrs.frozen
class Crlf(BodyFault):
    """Lines that end in CRLF."""

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        for step in event_steps(body):
            yield Chunk(step.time, _LINE_END.sub(b"\r\n", step.data)) if isinstance(step, Chunk) else step


@attrs.frozen
class _Between(BodyFault):
    """Something between events.

    Attributes:
        every: How many events come between two of them.
    """

    every: int = attrs.field(default=1, validator=at_least(1), kw_only=True)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        return _pieces(
            body,
            lambda piece, number: (self._inserted(), piece) if number and number % self.every == 0 else (piece,),
        )

    def _inserted(self) -> bytes:
        raise NotImplementedError


@attrs.frozen
class Comments(_Between):
    """Comments between events, as servers send them to keep a connection alive.

    Attributes:
        text: The text of each comment.
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


_CLASSES = (Cut, Stall, Error, Status, Corrupt, Duplicate, Drop, Nameless, Comments, Pings, Crlf)
FAULTS: dict[str, type] = {cls.__name__.lower(): cls for cls in _CLASSES}
"""The faults by the names that they have in texts."""
