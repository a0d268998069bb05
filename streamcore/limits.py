"""The limits of one stream. This module has only the numbers; they are checked where the things are counted."""

from __future__ import annotations

import attrs

__all__ = ["DEFAULT_LIMITS", "Limits"]


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds on one stream; over any of them a `LimitExceededError` is raised.

    The defaults leave room for the largest answers of the API. Search results take a megabyte or two. A fetched PDF
    arrives as one line of base64; it is part of the next request, and a request may have 32 MB.

    What an event may take in memory, at its peak, snapshot included, as a multiple of its bytes (CPython 3.11):

    - one string, such as a document: 5;
    - numbers and short strings in arrays and objects: 10 to 20;
    - many small arrays and objects: 30 to 55. `max_containers` is there for these.

    So by default one event takes 160 MB if it is a document of 32 MB, and less than a gigabyte whatever is in it. The
    input of a tool that comes in many deltas takes the same multiples of its length, which only `max_stream_size`
    bounds. Set lower limits for peers that you do not trust, and for many streams at a time.

    Attributes:
        max_line_size: Bytes in one line of the event stream, its end not counted.
        max_event_size: Bytes of data in one event.
        max_stream_size: Bytes in the whole stream.
        max_depth: Arrays and objects nested in one payload, and around a value in a tool's input. The default is
            jiter's own limit. Python's recursion limit is a thousand calls: with a `max_depth` far above the default,
            copying and writing such values may run into it.
        max_containers: Arrays and objects in one payload. Brackets in its strings count too, as they are counted before
            the payload is parsed.
        max_blocks: Content blocks in one message.
        max_unknown_fields: Fields that this version of streamcore does not know: those of a message and its usage if
            `message_delta` events add some, and those of a content block of an unknown type.

    The last two bound what a snapshot costs: each copies the list of blocks, and unknown fields that have changed.
    """

    max_line_size: int = 33 * 1024 * 1024
    max_event_size: int = 33 * 1024 * 1024
    max_stream_size: int = 256 * 1024 * 1024
    max_depth: int = 200
    max_containers: int = 500_000
    max_blocks: int = 10_000
    max_unknown_fields: int = 1000


DEFAULT_LIMITS = Limits()
