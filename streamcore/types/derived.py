"""The events that a message stream derives from its wire events: each change together with its result so far.

A derived event follows the wire event that it comes from. Its last field (`snapshot`; `content_block` and `message` for
the two stop events) is the value right after that event, no matter when you read it. It is built lazily: if you never
read it, it costs nothing; reading it after each event costs one copy of the text so far.

Apart from that, derived events are values like all other types: they compare, print, copy and pickle. All of these read
every field.

How a deferred field works
--------------------------
An event from a stream does not have the value of its deferred field, but two hidden slots: `_source`, an object that
still grows (the text of the block, say), and `_mark`, which tells that object where this event was. The class has a
property in place of the field. Its getter asks `_source` for the value at `_mark`, stores it in the slot of the field,
and clears `_source`. An event that was made by its constructor, a copy or a pickle has the value and no `_source`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

from streamcore._objects.construct import constructor
from streamcore.partial_json import PartialJSON
from streamcore.types._frozen import frozen
from streamcore.types.base import WireObject
from streamcore.types.blocks import ContentBlock
from streamcore.types.citations import TextCitation
from streamcore.types.events import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    ErrorEvent,
    MessageDeltaEvent,
    MessageStartEvent,
    MessageStopEvent,
    PingEvent,
    UnknownEvent,
)
from streamcore.types.message import Message

__all__ = [
    "CitationEvent",
    "CompactionEvent",
    "InputJsonEvent",
    "ParsedContentBlockStopEvent",
    "ParsedMessageStopEvent",
    "ParsedMessageStreamEvent",
    "SignatureEvent",
    "TextEvent",
    "ThinkingEvent",
]

_C = TypeVar("_C", bound=type)


class Growing(Protocol):
    """An object that grows and can still return its value at an earlier mark."""

    def at(self, mark: Any, /) -> Any: ...


class GrowingText(Growing, Protocol):
    """Growing text that can also be parsed as JSON."""

    def parsed(self, mark: Any, /) -> Any: ...


def deferring(cls: Any, *names: str) -> Callable[..., Any]:
    """Return a function that makes events of a class with a deferred field.

    It takes the values of the fields `names`, the `Growing` source of the deferred field, and a mark, by position.
    """
    return constructor(cls, *names, "_source", "_mark")


def _deferred(name: str) -> Callable[[_C], _C]:
    """Return a class decorator that makes `name` a deferred field (see the docstring of this module).

    The property takes 0.3 us. The alternative, `__getattr__` for an empty slot, took 0.6: Python first raises an
    exception with a message.
    """

    def decorate(cls: _C) -> _C:
        field: Any = cls.__dict__[name]  # the descriptor of the slot, which the property replaces
        source: Any = cls._source  # type: ignore[attr-defined]  # all decorated classes have this slot

        def read(self: Any) -> Any:
            try:
                growing: Growing | None = self._source
            except AttributeError:
                growing = None  # the slot is empty: the constructor does not know it
            if growing is None:
                return field.__get__(self)
            value = growing.at(self._mark)
            field.__set__(self, value)
            # Only after the value is stored, so that another thread finds one or the other. From here on this event
            # does not keep the buffers of the stream alive.
            source.__set__(self, None)
            return value

        setattr(cls, name, property(read, field.__set__))  # the constructor uses the setter; users cannot, it is frozen
        return cls

    return decorate


# The hidden slots, for each kind of base class. One mixin for all would not do: Python allows slots in only one of the
# bases of a class. The slots are not annotated, so they are not fields: nothing compares, prints or copies them.


class _Derived(WireObject):
    __slots__ = ("_mark", "_source")

    if TYPE_CHECKING:
        _mark: Any
        _source: Growing | None


class _ContentBlockStop(ContentBlockStopEvent):
    __slots__ = ("_mark", "_source")


class _MessageStop(MessageStopEvent):
    __slots__ = ("_mark", "_source")


@_deferred("snapshot")
@frozen(kw_only=True)
class TextEvent(_Derived):
    """More text of a text block.

    Attributes:
        text: The new text.
        snapshot: The text of the block so far.
    """

    type: Literal["text"] = "text"

    text: str
    snapshot: str

    def parsed_snapshot(self) -> Any:
        """Return the JSON value of the text so far, if the text is structured output.

        Open arrays, objects and strings count as far as they have arrived; before the first value this is None.
        `stream.partial` returns the same as an object of the user's class.

        Asking each event in turn parses each character once. An event whose `snapshot` was read, or that is asked after
        a later one, parses its text again.

        Raises:
            DecodeError: The text does not begin like JSON.
            LimitExceededError: The value nests too deep, or contains a number with too many digits.
        """
        source: GrowingText | None = getattr(self, "_source", None)
        if source is not None:
            return source.parsed(self._mark)
        json = PartialJSON()
        json.feed(self.snapshot)
        return json.value


@_deferred("snapshot")
@frozen(kw_only=True)
class ThinkingEvent(_Derived):
    """More text of a thinking block.

    Attributes:
        thinking: The new text.
        snapshot: The text of the block so far.
    """

    type: Literal["thinking"] = "thinking"

    thinking: str
    snapshot: str


@frozen(kw_only=True)
class SignatureEvent(WireObject):
    """The complete signature of a thinking block."""

    type: Literal["signature"] = "signature"

    signature: str


@_deferred("snapshot")
@frozen(kw_only=True)
class CitationEvent(_Derived):
    """One more citation of a text block.

    Attributes:
        citation: The new citation.
        snapshot: All citations of the block so far.
    """

    type: Literal["citation"] = "citation"

    citation: TextCitation
    snapshot: list[TextCitation]


@_deferred("snapshot")
@frozen(kw_only=True)
class InputJsonEvent(_Derived):
    """More JSON text of the input of a tool.

    Attributes:
        partial_json: The new JSON text.
        snapshot: The input so far, parsed. If you read it after later fragments have arrived, the text up to this event
            is parsed again.
    """

    type: Literal["input_json"] = "input_json"

    partial_json: str
    snapshot: Any


@_deferred("content")
@frozen(kw_only=True)
class CompactionEvent(_Derived):
    """A change of a compaction block.

    Attributes:
        content: The summary so far.
        encrypted_content: The opaque form of the summary.
    """

    type: Literal["compaction"] = "compaction"

    content: str | None = None
    encrypted_content: str | None = None


@_deferred("content_block")
@frozen(kw_only=True)
class ParsedContentBlockStopEvent(_ContentBlockStop):
    """The end of a content block, with the complete block."""

    content_block: ContentBlock


@_deferred("message")
@frozen(kw_only=True)
class ParsedMessageStopEvent(_MessageStop):
    """The end of the message, with the complete message."""

    message: Message


ParsedMessageStreamEvent: TypeAlias = (
    MessageStartEvent
    | ContentBlockStartEvent
    | ContentBlockDeltaEvent
    | TextEvent
    | ThinkingEvent
    | SignatureEvent
    | CitationEvent
    | InputJsonEvent
    | CompactionEvent
    | ParsedContentBlockStopEvent
    | MessageDeltaEvent
    | ParsedMessageStopEvent
    | PingEvent
    | ErrorEvent
    | UnknownEvent
)
"""Any event of a `MessageStream`: the wire events and those derived from them."""
