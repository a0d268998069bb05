"""Hypothesis strategies for Messages streams: JSON, blocks, messages, events, bytes, chunks and broken streams.

Each strategy is a small part that the next one uses:

    json_values ─► partial_json_deltas ─┐
    texts ───────► content_blocks ─► messages ─► event_streams ─► sse_bytes ─► chunkings
                                                                     └──────► mutations

`whole_streams` draws all of them at once, together with the message that must come out; `broken_streams` does so for
streams that break the rules. Values are objects of `streamcore.types`; `to_dict()` gives their JSON.

```python
from hypothesis import given, strategies as st
from streamcore import MessageEngine
from streamcore.testing.strategies import chunkings, content_blocks, event_streams, messages, sse_bytes
from streamcore.types import TextBlock


@given(messages(blocks=content_blocks(TextBlock)), st.data())
def test_text_comes_through(message, data):
    events = data.draw(event_streams(message, interleaved=True))
    body = data.draw(sse_bytes(events, framing=["line_ends", "comments"]))
    engine = MessageEngine()
    for chunk in data.draw(chunkings(body)):
        engine.receive_data(chunk)
    list(engine.events())
    assert engine.final_message == message
```

Many of the streams are simple, and a failure shrinks to a simple one: few blocks of short text, in few deltas, one
after the other, in the framing that the API uses, and in one chunk. It is printed with one event on a line.

Needs the extra `testing`.
"""

from streamcore._extras import requires_extra

with requires_extra("testing"):
    from streamcore.testing._broken import BROKEN_ROWS, BrokenStream, broken_streams
    from streamcore.testing._choices import fragments
    from streamcore.testing._events import event_streams
    from streamcore.testing._json import (
        RepeatedKeys,
        json_objects,
        json_texts,
        json_values,
        partial_json_deltas,
        texts,
    )
    from streamcore.testing._values import content_blocks, cut_off_blocks, messages, wire_objects
    from streamcore.testing._whole import WholeStream, whole_streams
    from streamcore.testing._wire import FRAMINGS, Framing, chunkings, mutations, sse_bytes

__all__ = [
    "BROKEN_ROWS",
    "FRAMINGS",
    "BrokenStream",
    "Framing",
    "RepeatedKeys",
    "WholeStream",
    "broken_streams",
    "chunkings",
    "content_blocks",
    "cut_off_blocks",
    "event_streams",
    "fragments",
    "json_objects",
    "json_texts",
    "json_values",
    "messages",
    "mutations",
    "partial_json_deltas",
    "sse_bytes",
    "texts",
    "whole_streams",
    "wire_objects",
]
