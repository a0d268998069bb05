"""Message streams over any iterable of bytes, sync and async: what a user's loop sees."""

from streamcore.stream._derived import derive
from streamcore.stream._message_stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    MessageStream,
    MessageStreamManager,
)
from streamcore.stream._stream import AsyncStream, Stream

__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "MessageStream",
    "MessageStreamManager",
    "Stream",
    "derive",
]
