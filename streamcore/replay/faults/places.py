"""Say where in a body a fault is: at an event, after a number of bytes, or at a random event that a seed chooses.

A body that does not reach the place is an error: a fault that does nothing would let a test pass.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import attrs

from streamcore.errors import InvalidArgumentError
from streamcore.replay.capture import Capture, Chunk, End, Step
from streamcore.replay.formats.event_splitter import event_steps, is_event


def beyond(kind: str, number: int, count: int) -> InvalidArgumentError:
    """Return the error for a place that a body of `count` events or bytes does not have."""
    return InvalidArgumentError(f"the fault at {kind} {number} has no place: the stream has {count} {kind}s")


def at_least(least: float, kind: type = int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """Make a validator for numbers of this kind that are finite and not below `least`, and for None."""

    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        is_number = isinstance(value, (int, kind)) and not isinstance(value, bool)
        if value is not None and not (is_number and least <= value < math.inf):
            raise InvalidArgumentError(f"{field.name} must be a number of at least {least}, not {value!r}")

    return check


@attrs.frozen
class BodyFault:
    """A fault that changes the body of a capture, each time the body is iterated over."""

    def __call__(self, capture: Capture) -> Capture:
        return capture.with_body(self._change)

    def _change(self, body: Iterable[Step]) -> Iterator[Step]:
        raise NotImplementedError


@attrs.frozen
class AtEvent(BodyFault):
    """A fault at an event.

    Attributes:
        event: The number of the event; the first is 0.
        seed: Chooses an event where `event` is None: the same seed finds the same event of a stream.
    """

    event: int | None = attrs.field(default=None, validator=at_least(0), kw_only=True)
    seed: int = attrs.field(default=0, kw_only=True)

    def number(self, body: Iterable[Step]) -> int:
        """Return the number of the event in the stream of `body`."""
        if self.event is not None:
            return self.event
        count = sum(map(_is_event, event_steps(body)))
        return random.Random(self.seed).randrange(max(count, 1))  # noqa: S311  # it makes tests, it keeps no secret

    def split(self, body: Iterable[Step]) -> Iterator[Step | None]:
        """Yield the steps, a chunk for each event, with a None before the event or after the last one.

        Raises:
            InvalidArgumentError: There are fewer events.
        """
        return _split(event_steps(body), "event", self.number(body), _is_event)


@attrs.frozen
class Anywhere(AtEvent):
    """A fault at an event, or after a number of bytes.

    Attributes:
        byte: How many bytes come before the fault. It replaces `event`.
    """

    byte: int | None = attrs.field(default=None, validator=at_least(0), kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.event is not None and self.byte is not None:
            raise InvalidArgumentError("a fault is at an event or at a byte, not at both")

    def split(self, body: Iterable[Step]) -> Iterator[Step | None]:
        """Yield the steps, with a None at the place.

        Raises:
            InvalidArgumentError: They do not reach it.
        """
        if self.byte is None:
            return super().split(body)
        return _split(_cut_at(body, self.byte), "byte", self.byte, _size)


def _split(steps: Iterable[Step], kind: str, number: int, measure: Callable[[Step], int]) -> Iterator[Step | None]:
    """Yield the steps, with a None where `number` events or bytes have come and the next begin, or the body ends."""
    count = 0
    is_split = False
    for step in chain(steps, (None,)):  # a body may lack its `End`
        size = 0 if step is None else measure(step)
        is_end = step is None or isinstance(step, End)
        if not is_split and (size or is_end):
            if count == number:
                is_split = True
                yield None
            elif is_end:
                raise beyond(kind, number, count)
        count += size
        if step is not None:
            yield step


def _is_event(step: Step) -> bool:
    return isinstance(step, Chunk) and is_event(step.data)


def _size(step: Step) -> int:
    return len(step.data) if isinstance(step, Chunk) else 0


def _cut_at(body: Iterable[Step], number: int) -> Iterator[Step]:
    """Yield the steps of a body, with the chunk that holds the byte of this number cut before it."""
    for step in body:
        if isinstance(step, Chunk) and 0 < number < len(step.data):
            yield Chunk(step.time, step.data[:number])
            yield Chunk(step.time, step.data[number:])
        else:
            yield step
        number -= _size(step)
