"""streamcore: the bytes of a Messages API event stream to typed events and an always-current `Message`.

The core does no I/O: feed `MessageEngine` the bytes, iterate over its events, look at its snapshot; or let a
`MessageStream` do so over any iterable of bytes. The types are in `streamcore.types`.
"""

from streamcore.accumulator import MessageAccumulator
from streamcore.engine import MessageEngine, MessageEventDecoder, RawMessageDecoder
from streamcore.errors import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
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
    "DecodeError",
    "EventOrderError",
    "IncompleteStreamError",
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
