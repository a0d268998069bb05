"""How much a stream may hold before it is refused. Knows nothing of what is counted, only the numbers."""

from __future__ import annotations

import attrs

__all__ = ["DEFAULT_LIMITS", "Limits"]


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds on one stream; over any of them a `LimitExceededError` is raised.

    The defaults leave room for the largest answers of the API (a fetched PDF arrives as one line of base64) and bound
    the memory that a broken or hostile peer can take.

    Attributes:
        max_line_size: Bytes in one line of the event stream, its end not counted.
        max_event_size: Bytes of data in one event.
        max_stream_size: Bytes in the whole stream.
        max_depth: Arrays and objects nested in one payload; in how many of them a value may lie in a tool's input. The
            same as jiter's own limit. Python's recursion limit is a thousand calls: far above the default, copying and
            writing such values may run into it.
        max_blocks: Content blocks in one message.
    """

    max_line_size: int = 64 * 1024 * 1024
    max_event_size: int = 64 * 1024 * 1024
    max_stream_size: int = 1024 * 1024 * 1024
    max_depth: int = 200
    max_blocks: int = 100_000


DEFAULT_LIMITS = Limits()
