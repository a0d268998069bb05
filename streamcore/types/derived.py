"""What a message stream says beside its wire events: each change together with what it has led to.

A derived event follows the wire event it comes from. Its last field (`snapshot`, and for the two stops `content_block`
and `message`) is the value right after that event, whenever it is read, and is built when it is first read: who does
not look does not pay, and who looks at each event in turn pays one copy of the text so far.

Otherwise these are values like all the others: they compare, print, copy and pickle, which reads every field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, cast

import attrs

from streamcore._twin import maker
from streamcore.partial_json import PartialJSON
from streamcore.types._base import WireObject
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

_put = object.__setattr__  # the classes are frozen


class Growing(Protocol):
    """What grows, and can say what it was at a mark that was taken of it."""

    def at(self, mark: Any, /) -> Any: ...


class GrowingText(Growing, Protocol):
    """Text that grows, and may be JSON."""

    def parsed(self, mark: Any, /) -> Any: ...


class _Deferring:
    """An object with one field that `_source` makes when it is first read; `_DEFERRED` is its name.

    The field is an attribute like the others. Only, a function from `deferring` leaves its slot empty, and an empty
    slot is what Python calls `__getattr__` for.
    """

    __slots__ = ()

    _DEFERRED: ClassVar[str]
    if TYPE_CHECKING:
        _source: Growing | None
        _mark: Any

    # Hidden from type checkers, which would take it to mean that every name is an attribute.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name != self._DEFERRED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            source = self._source
            if source is None:
                # Another thread has been here since the slot was found empty.
                return object.__getattribute__(self, name)
            value = source.at(self._mark)
            _put(self, name, value)
            # In this order, and the buffers behind it are let go.
            _put(self, "_source", None)
            return value


def deferring(cls: Any, *names: str) -> Callable[..., Any]:
    """A function that makes events of the values for these fields, and of what their deferred field will be: that of a
    `Growing` at a mark.
    """
    return maker(cls, *names, "_source", "_mark")


# A class of several bases can have slots of its own from only one of them, so each base class gets its own.


class _Derived(WireObject):
    __slots__ = ("_mark", "_source")


class _ContentBlockStop(ContentBlockStopEvent):
    __slots__ = ("_mark", "_source")


class _MessageStop(MessageStopEvent):
    __slots__ = ("_mark", "_source")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextEvent(_Deferring, _Derived):
    """More of a text block's text; `snapshot` is its text so far."""

    type: ClassVar[Literal["text"]] = "text"
    _DEFERRED: ClassVar[str] = "snapshot"

    text: str
    snapshot: str

    def parsed_snapshot(self) -> Any:
        """The JSON value of the text so far, where the text is structured output: what is open counts as far as it has
        come, `None` is what there is before anything. `stream.partial` gives the same as the user's class.

        Whoever asks each event in turn pays for each character once; an event whose `snapshot` was read, or that is
        asked after a later one, parses its text anew.

        Raises:
            DecodeError: No JSON begins like this.
            LimitExceededError: It nests too deep, or has a number that is too long.
        """
        source = cast("GrowingText | None", self._source)
        if source is not None:
            return source.parsed(self._mark)
        json = PartialJSON()
        json.feed(self.snapshot)
        return json.value


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ThinkingEvent(_Deferring, _Derived):
    """More of a thinking block's text; `snapshot` is its text so far."""

    type: ClassVar[Literal["thinking"]] = "thinking"
    _DEFERRED: ClassVar[str] = "snapshot"

    thinking: str
    snapshot: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SignatureEvent(WireObject):
    """The signature of a thinking block, whole."""

    type: ClassVar[Literal["signature"]] = "signature"

    signature: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CitationEvent(_Deferring, _Derived):
    """One more citation of a text block; `snapshot` holds all of them so far."""

    type: ClassVar[Literal["citation"]] = "citation"
    _DEFERRED: ClassVar[str] = "snapshot"

    citation: TextCitation
    snapshot: tuple[TextCitation, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InputJsonEvent(_Deferring, _Derived):
    """More of the JSON text of a tool's input; `snapshot` is the input so far, parsed.

    Read when later fragments have come, the text up to here is parsed anew.
    """

    type: ClassVar[Literal["input_json"]] = "input_json"
    _DEFERRED: ClassVar[str] = "snapshot"

    partial_json: str
    snapshot: Any


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CompactionEvent(_Deferring, _Derived):
    """A compaction block has changed: `content` is its summary so far, `encrypted_content` its opaque form."""

    type: ClassVar[Literal["compaction"]] = "compaction"
    _DEFERRED: ClassVar[str] = "content"

    content: str | None = None
    encrypted_content: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ParsedContentBlockStopEvent(_Deferring, _ContentBlockStop):
    """A content block is complete, and here it is."""

    _DEFERRED: ClassVar[str] = "content_block"

    content_block: ContentBlock


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ParsedMessageStopEvent(_Deferring, _MessageStop):
    """The message is complete, and here it is."""

    _DEFERRED: ClassVar[str] = "message"

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
