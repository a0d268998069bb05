"""The events of most streams: a common name and one line of data. Looking the name up is faster than decoding it."""

from __future__ import annotations

from streamcore.sse._fields import Frame

__all__ = ["EVENT_NAMES", "common_frame"]

EVENT_NAMES = {
    f"event: {name}".encode(): name
    for name in (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
        "message",
    )
}
"""The name in each of these lines. The table is fixed: nothing that a peer sends is remembered."""


def common_frame(lines: list[bytes]) -> Frame | None:
    """Return the frame in two lines if they are a common name and its data, otherwise None."""
    name = EVENT_NAMES.get(lines[0])
    if name is not None and lines[1][:6] == b"data: ":
        return name, lines[1][6:]
    return None
