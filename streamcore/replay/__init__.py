"""Captures of Messages API streams: read, record, replay with their timing, break on purpose.

A `Capture` is one exchange over HTTP, its answer cut and timed as it came. This room is an adapter: it reads and
writes files, looks at clocks and sleeps, which the core never does.
"""

from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, Chunk, End, Pause, Step
from streamcore.replay.files import Format, format_of, open_capture, read_captures, write_captures

__all__ = [
    "Capture",
    "CaptureError",
    "CapturedRequest",
    "Chunk",
    "End",
    "Format",
    "Pause",
    "Step",
    "format_of",
    "open_capture",
    "read_captures",
    "write_captures",
]
