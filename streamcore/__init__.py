"""streamcore turns the bytes of a Messages API event stream into typed events and an always-current `Message`.

The core does no I/O. Feed `MessageEngine` the bytes, iterate over its events and look at its snapshot, or let a
`MessageStream` do that with any iterable of bytes. The types are in `streamcore.types`.
"""

from streamcore.accumulator import MessageAccumulator
from streamcore.decoders import MessageEventDecoder, RawMessageDecoder
from streamcore.engine import MessageEngine
from streamcore.errors import (
    CheckpointError,
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    NoTextError,
    ProtocolError,
    StreamCoreError,
    Violation,
)
from streamcore.limits import Limits
from streamcore.partial_json import PartialJSON
from streamcore.sse import ServerSentEvent, SSEDecoder
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent

__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "CheckpointError",
    "DecodeError",
    "EventOrderError",
    "IncompleteStreamError",
    "InvalidArgumentError",
    "LimitExceededError",
    "Limits",
    "Message",
    "MessageAccumulator",
    "MessageEngine",
    "MessageEventDecoder",
    "MessageStream",
    "MessageStreamEvent",
    "MessageStreamManager",
    "NoTextError",
    "PartialJSON",
    "ProtocolError",
    "RawMessageDecoder",
    "RawMessageStreamEvent",
    "SSEDecoder",
    "ServerSentEvent",
    "Stream",
    "StreamCoreError",
    "Violation",
]
