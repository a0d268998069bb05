"""streamcore: the bytes of a Messages API event stream to typed events and an always-current `Message`.

The core does no I/O: feed `MessageEngine` the bytes, iterate over its events, look at its snapshot. The types are in
`streamcore.types`.
"""

from streamcore.accumulator import MessageAccumulator
from streamcore.engine import MessageEngine, RawMessageDecoder
from streamcore.errors import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    ProtocolError,
    StreamCoreError,
    Violation,
)
from streamcore.limits import Limits
from streamcore.partial_json import PartialJSON
from streamcore.sse import ServerSentEvent, SSEDecoder
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent

__all__ = [
    "DecodeError",
    "EventOrderError",
    "IncompleteStreamError",
    "LimitExceededError",
    "Limits",
    "Message",
    "MessageAccumulator",
    "MessageEngine",
    "MessageStreamEvent",
    "PartialJSON",
    "ProtocolError",
    "RawMessageDecoder",
    "RawMessageStreamEvent",
    "SSEDecoder",
    "ServerSentEvent",
    "StreamCoreError",
    "Violation",
]
