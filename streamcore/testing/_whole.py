"""A strategy for legal streams: a message, the events that add up to it, their bytes and chunks, drawn together."""

from __future__ import annotations

from collections.abc import Collection

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.testing._events import event_streams
from streamcore.testing._shown import ShownByEvent
from streamcore.testing._values import messages
from streamcore.testing._wire import FRAMINGS, Framing, chunkings, sse_bytes
from streamcore.types import ContentBlock, Message, MessageStreamEvent


@attrs.frozen(kw_only=True, repr=False)
class WholeStream(ShownByEvent):
    """A legal stream and what it means.

    Attributes:
        message: The message that it adds up to.
        events: Its events.
        data: Its bytes.
        chunks: The same bytes in chunks.
    """

    message: Message
    events: list[MessageStreamEvent]
    data: bytes
    chunks: list[bytes]


@st.composite
def whole_streams(
    draw: st.DrawFn,
    *,
    blocks: SearchStrategy[ContentBlock] | None = None,
    max_blocks: int = 3,
    cut_off: bool = True,
    details: bool = True,
    interleaved: bool = True,
    prefilled: bool = True,
    sparse: bool = True,
    formatted: bool = True,
    pings: bool = True,
    unknown: bool = True,
    framing: Collection[Framing] = FRAMINGS,
) -> WholeStream:
    """Draw a legal stream by `messages`, `event_streams`, `sse_bytes` and `chunkings`, which take the arguments.

    By default the stream may have everything that is legal, but many of the streams are simple.

    ```python
    @given(whole_streams(unknown=False, framing=["padding"]))  # as the API sends them now
    def test_stream(stream):
        with MessageStream(stream.chunks) as read:
            assert read.get_final_message() == stream.message
    ```
    """
    message = draw(messages(blocks=blocks, max_blocks=max_blocks, cut_off=cut_off, details=details, unknown=unknown))
    events = draw(
        event_streams(
            message,
            interleaved=interleaved,
            prefilled=prefilled,
            sparse=sparse,
            formatted=formatted,
            pings=pings,
            unknown=unknown,
        )
    )
    data = draw(sse_bytes(events, framing=framing))
    return WholeStream(message=message, events=events, data=data, chunks=draw(chunkings(data)))
