"""The events of a stream, as the wire has them.

`MessageStreamEvent` is the union for typed events, and `RawMessageStreamEvent` the one in which blocks and deltas are
still plain dicts. Source: the API's documentation of streaming.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from streamcore.types._base import Unknown, WireObject, absent
from streamcore.types._frozen import frozen
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

__all__ = [
    "ContentBlockDeltaEvent",
    "ContentBlockStartEvent",
    "ContentBlockStopEvent",
    "ErrorEvent",
    "ErrorObject",
    "MessageDelta",
    "MessageDeltaEvent",
    "MessageStartEvent",
    "MessageStopEvent",
    "MessageStreamEvent",
    "PingEvent",
    "RawContentBlockDeltaEvent",
    "RawContentBlockStartEvent",
    "RawContentBlockStopEvent",
    "RawMessageDeltaEvent",
    "RawMessageStartEvent",
    "RawMessageStopEvent",
    "RawMessageStreamEvent",
    "UnknownEvent",
]

DeltaT = TypeVar("DeltaT", bound=ContentBlockDelta, default=ContentBlockDelta, covariant=True)


@frozen(kw_only=True)
class MessageStartEvent(WireObject):
    """The stream begins; `message` has no content yet."""

    type: ClassVar[Literal["message_start"]] = "message_start"

    message: Message


@frozen(kw_only=True)
class ContentBlockStartEvent(WireObject):
    """A content block begins, usually empty. Blocks are numbered from zero."""

    type: ClassVar[Literal["content_block_start"]] = "content_block_start"

    index: int
    content_block: ContentBlock


@frozen(kw_only=True)
class ContentBlockDeltaEvent(WireObject, Generic[DeltaT]):
    """More of a content block. `ContentBlockDeltaEvent[TextDelta]` is one that is known to carry text."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"

    index: int
    delta: DeltaT


@frozen(kw_only=True)
class ContentBlockStopEvent(WireObject):
    """A content block is complete."""

    type: ClassVar[Literal["content_block_stop"]] = "content_block_stop"

    index: int


@frozen(kw_only=True)
class MessageDelta(WireObject):
    """What changes in the message itself."""

    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    container: Container | None = None


@frozen(kw_only=True)
class MessageDeltaEvent(WireObject):
    """The message itself changes: why it stopped, what it has used so far (totals, not increments)."""

    type: ClassVar[Literal["message_delta"]] = "message_delta"

    delta: MessageDelta = absent(MessageDelta)
    usage: MessageDeltaUsage = absent(MessageDeltaUsage)
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: tuple[dict[str, Any], ...] | None = None


@frozen(kw_only=True)
class MessageStopEvent(WireObject):
    """The message is complete."""

    type: ClassVar[Literal["message_stop"]] = "message_stop"


@frozen(kw_only=True)
class PingEvent(WireObject):
    """The connection is alive."""

    type: ClassVar[Literal["ping"]] = "ping"


@frozen(kw_only=True)
class ErrorObject(WireObject):
    """What went wrong on the API's side; `type` is `"overloaded_error"`, say."""

    type: str
    message: str = ""


@frozen(kw_only=True)
class ErrorEvent(WireObject):
    """The rest of the stream will not come."""

    type: ClassVar[Literal["error"]] = "error"

    error: ErrorObject
    request_id: str | None = None


class UnknownEvent(Unknown):
    """An event of a type that is new to this version of streamcore."""

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


@frozen(kw_only=True)
class RawContentBlockStartEvent(WireObject):
    """`ContentBlockStartEvent` with the block as it came."""

    type: ClassVar[Literal["content_block_start"]] = "content_block_start"

    index: int
    content_block: dict[str, Any]


@frozen(kw_only=True)
class RawContentBlockDeltaEvent(WireObject):
    """`ContentBlockDeltaEvent` with the delta as it came."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"

    index: int
    delta: dict[str, Any]


@frozen(kw_only=True)
class RawMessageDeltaEvent(WireObject):
    """`MessageDeltaEvent` with the delta as it came."""

    type: ClassVar[Literal["message_delta"]] = "message_delta"

    delta: dict[str, Any]
    usage: MessageDeltaUsage = absent(MessageDeltaUsage)
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: tuple[dict[str, Any], ...] | None = None


RawMessageStartEvent: TypeAlias = MessageStartEvent
RawContentBlockStopEvent: TypeAlias = ContentBlockStopEvent
RawMessageStopEvent: TypeAlias = MessageStopEvent

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
