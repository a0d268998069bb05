"""The events of a stream, as they arrive.

`MessageStreamEvent` is the union of the typed events. In `RawMessageStreamEvent`, content blocks and deltas may be
plain dicts. Each typed event is one of these too.
Source: https://docs.claude.com/en/docs/build-with-claude/streaming and `anthropic.types`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from streamcore._objects.immutable import ImmutableDict, immutable, immutable_items
from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, absent, wire_field
from streamcore.types.blocks import ContentBlock
from streamcore.types.deltas import ContentBlockDelta
from streamcore.types.message import (
    Container,
    ContextManagementResponse,
    Diagnostics,
    Message,
    StopDetails,
    StopReason,
)
from streamcore.types.usage import MessageDeltaUsage

if TYPE_CHECKING:
    BlockT = TypeVar("BlockT", default=Any, covariant=True)
    RawDeltaT = TypeVar("RawDeltaT", default=Any, covariant=True)
else:
    # The content block or the delta of a raw event: a dict, which the codec makes, or in a typed event a typed one.
    BlockT = RawDeltaT = TypeVar("RawT", bound=dict[str, Any], covariant=True)
DeltaT = TypeVar("DeltaT", bound=ContentBlockDelta, default=ContentBlockDelta, covariant=True)


# Three events exist twice: as `RawMessageDecoder` gives them, with plain dicts, and typed, as all streams give them.
# The typed class derives from the raw one, so `isinstance` and `match` by a raw class hold for both, as programs for
# the `anthropic` package expect. They are never equal: equality compares the classes.


@frozen(kw_only=True)
class RawContentBlockStartEvent(WireObject, Generic[BlockT]):
    """The start of a content block. From `RawMessageDecoder`, the block is a plain dict, as it arrived."""

    type: Literal["content_block_start"] = "content_block_start"

    index: int
    content_block: BlockT


@frozen(kw_only=True)
class RawContentBlockDeltaEvent(WireObject, Generic[RawDeltaT]):
    """An addition to a content block. From `RawMessageDecoder`, the delta is a plain dict, as it arrived."""

    type: Literal["content_block_delta"] = "content_block_delta"

    index: int
    delta: RawDeltaT


@frozen(kw_only=True)
class RawMessageDeltaEvent(WireObject, Generic[RawDeltaT]):
    """A change of the message itself. From `RawMessageDecoder`, the delta is a plain dict, as it arrived."""

    type: Literal["message_delta"] = "message_delta"

    delta: RawDeltaT = wire_field(default=ImmutableDict())
    usage: MessageDeltaUsage = absent(MessageDeltaUsage)
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: list[dict[str, Any]] | None = None


@frozen(kw_only=True)
class MessageStartEvent(WireObject):
    """The start of the message.

    Attributes:
        message: The message so far, without content.
    """

    type: Literal["message_start"] = "message_start"

    message: Message


@frozen(kw_only=True)
class ContentBlockStartEvent(RawContentBlockStartEvent[ContentBlock]):
    """The start of a content block.

    Attributes:
        index: The position of the block in the content, from 0.
        content_block: The block so far, usually empty.
    """

    type: Literal["content_block_start"] = "content_block_start"

    index: int
    content_block: ContentBlock


@frozen(kw_only=True)
class ContentBlockDeltaEvent(RawContentBlockDeltaEvent[DeltaT]):
    """An addition to a content block.

    `ContentBlockDeltaEvent[TextDelta]` is the type of an event that is known to add text.

    Attributes:
        index: The position of the block in the content, from 0.
        delta: The addition.
    """

    type: Literal["content_block_delta"] = "content_block_delta"

    index: int
    delta: DeltaT


@frozen(kw_only=True)
class ContentBlockStopEvent(WireObject):
    """The end of a content block.

    Attributes:
        index: The position of the block in the content, from 0.
    """

    type: Literal["content_block_stop"] = "content_block_stop"

    index: int


@frozen(kw_only=True)
class MessageDelta(WireObject):
    """The changed fields of the message.

    An absent field changes nothing.
    """

    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    container: Container | None = None


@frozen(kw_only=True)
class MessageDeltaEvent(RawMessageDeltaEvent[MessageDelta]):
    """A change of the message itself.

    Attributes:
        delta: The changed fields.
        usage: The token counts so far: totals, not increments.
        context_management: What the API removed from the context before the model read it.
        diagnostics: What the API noticed about the request.
        input_transformations: Changes that the API made to the input before the model read it, and blocks that failed a
            check but were kept, as JSON.
    """

    type: Literal["message_delta"] = "message_delta"

    delta: MessageDelta = absent(MessageDelta)
    usage: MessageDeltaUsage = absent(MessageDeltaUsage)
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: list[dict[str, Any]] | None = wire_field(converter=immutable_items)


@frozen(kw_only=True)
class MessageStopEvent(WireObject):
    """The end of the message."""

    type: Literal["message_stop"] = "message_stop"


@frozen(kw_only=True)
class PingEvent(WireObject):
    """A sign that the connection is alive."""

    type: Literal["ping"] = "ping"


@frozen(kw_only=True)
class ErrorObject(WireObject):
    """An error on the API's side.

    Attributes:
        type: The kind of error, such as `"overloaded_error"`.
    """

    type: str
    message: str = ""


@frozen(kw_only=True)
class ErrorEvent(WireObject):
    """An error that ends the stream before the message is complete.

    Attributes:
        payload: The payload as it came, whatever its shape: a JSON value, or text that is not JSON. None if no payload
            was decoded. It has no wire form.
    """

    type: Literal["error"] = "error"

    error: ErrorObject
    request_id: str | None = None
    payload: Any = wire_field(local=True, shown=False, converter=immutable)


class UnknownEvent(Unknown):
    """An event of a type that this version of streamcore does not know."""

    __slots__ = ()


MessageStreamEvent: TypeAlias = (
    MessageStartEvent
    | ContentBlockStartEvent
    | ContentBlockDeltaEvent
    | ContentBlockStopEvent
    | MessageDeltaEvent
    | MessageStopEvent
    | PingEvent
    | ErrorEvent
    | UnknownEvent
)


RawMessageStartEvent: TypeAlias = MessageStartEvent
RawContentBlockStopEvent: TypeAlias = ContentBlockStopEvent
RawMessageStopEvent: TypeAlias = MessageStopEvent

RawContentBlockDelta: TypeAlias = ContentBlockDelta

RawMessageStreamEvent: TypeAlias = (
    RawMessageStartEvent
    | RawContentBlockStartEvent
    | RawContentBlockDeltaEvent
    | RawContentBlockStopEvent
    | RawMessageDeltaEvent
    | RawMessageStopEvent
    | PingEvent
    | ErrorEvent
    | UnknownEvent
)
