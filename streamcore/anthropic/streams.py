"""Our streams as instances of the official classes too, for `isinstance`, as `classes.py` makes our events."""
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any

import anthropic
from anthropic.lib import streaming

from streamcore import stream as ours

__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "MessageStream",
    "MessageStreamManager",
    "Stream",
]


def _passing_for(*officials: type) -> Any:
    """Return the attribute `__class__` of a class whose objects pass for these."""
    stand_in = officials[0] if len(officials) == 1 else type(officials[0].__name__, officials, {})
    return property(lambda self: stand_in)


class Stream(ours.Stream[Any]):
    """A stream of events."""

    __class__ = _passing_for(anthropic.Stream)


class AsyncStream(ours.AsyncStream[Any]):
    """An async stream of events."""

    __class__ = _passing_for(anthropic.AsyncStream)


class MessageStream(ours.MessageStream[Any]):
    """A stream of one message."""

    __class__ = _passing_for(streaming.MessageStream, streaming.BetaMessageStream)


class AsyncMessageStream(ours.AsyncMessageStream[Any]):
    """An async stream of one message."""

    __class__ = _passing_for(streaming.AsyncMessageStream, streaming.BetaAsyncMessageStream)


class MessageStreamManager(ours.MessageStreamManager[Any]):
    """A manager of a stream of one message."""

    __class__ = _passing_for(streaming.MessageStreamManager, streaming.BetaMessageStreamManager)


class AsyncMessageStreamManager(ours.AsyncMessageStreamManager[Any]):
    """A manager of an async stream of one message."""

    __class__ = _passing_for(streaming.AsyncMessageStreamManager, streaming.BetaAsyncMessageStreamManager)
