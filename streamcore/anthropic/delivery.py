"""Streams of wrapped clients: ours, and whatever they deliver is cast to lookalikes (see `official_classes.py`).

A stream casts what comes out of its decoder: iteration, `text_stream` and handlers all get that. It casts the message
when it is read. Nearly all events of a stream add text; `LookalikeDecoder.items` has a short path for these.

The snapshots of a message share the blocks that have not changed. So a stream remembers the blocks that it has cast,
and casts a block once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from streamcore.anthropic.official_classes import CASTS, lookalike
from streamcore.stream import Decoder
from streamcore.stream._pump import Completion, items_of
from streamcore.types import CitationEvent, Message, ParsedContentBlockStopEvent, ParsedMessageStopEvent

__all__ = ["LookalikeDecoder", "Lookalikes"]

_T = TypeVar("_T")


class Lookalikes:
    """Cast the parts of one message, each once.

    What it remembers is bounded by the message: with each snapshot it forgets what is not a part of that.
    """

    def __init__(self) -> None:
        # By the identity of the object; the object is kept, so that its identity is not used again.
        self._made: dict[int, tuple[Any, Any]] = {}
        self._made_before: dict[int, tuple[Any, Any]] = {}

    def of(self, value: _T) -> _T:
        """Return a message, or a part of one, as a lookalike."""
        cast = CASTS[type(value)]
        if cast is None:
            return value
        key = id(value)
        known = self._made.get(key) or self._made_before.get(key)
        if known is None:
            if isinstance(value, Message):
                self._made_before, self._made = self._made, {}
            known = value, cast(value, self.of)
        self._made[key] = known
        return known[1]  # type: ignore[no-any-return]  # it was made of `value`


# Events with a deferred field that is a part of the message.
_WITH_PARTS = (ParsedContentBlockStopEvent, ParsedMessageStopEvent, CitationEvent)


class LookalikeDecoder(Generic[_T]):
    """A decoder that casts the items of another one.

    Args:
        decoder: The other one.
        lookalikes: Casts the parts of the message.
    """

    __slots__ = ("_decoder", "_lookalikes", "events", "receive_data", "receive_eof")

    def __init__(self, decoder: Decoder[_T], lookalikes: Lookalikes) -> None:
        self._decoder = decoder
        self._lookalikes = lookalikes
        self.receive_data: Callable[[bytes], None] = decoder.receive_data
        self.receive_eof: Callable[[], None] = decoder.receive_eof
        self.events = decoder.events

    @property
    def snapshot(self) -> Any:
        return self._lookalikes.of(getattr(self._decoder, "snapshot", None))

    @property
    def multiple_messages(self) -> bool:
        return getattr(self._decoder, "multiple_messages", False) is True

    def items(self, response: Any, completion: Completion) -> Iterator[_T | None]:
        """Yield, and raise, what `Pump.items` describes."""
        casts, of_part = CASTS, self._lookalikes.of
        for item in items_of(self._decoder, response, completion):
            cast = casts[type(item)]
            if cast is None:  # None too, for more bytes
                yield item
            else:
                yield cast(item, of_part if isinstance(item, _WITH_PARTS) else lookalike)
