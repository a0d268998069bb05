"""Read and record captures of Messages API streams, replay them with their timing, and break them on purpose.

A `Capture` is one exchange over HTTP, its answer cut and timed as it arrived. Unlike the core, this package reads and
writes files, looks at clocks and sleeps. Its README.md maps the folders.
"""

from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, Chunk, End, Pause, Step
from streamcore.replay.faults import Fault
from streamcore.replay.faults.parsing import parse_fault
from streamcore.replay.formats.files import Format, format_of, open_capture, read_captures, write_captures
from streamcore.replay.playing.chunking import Chunking, RandomChunks, parse_chunking
from streamcore.replay.playing.open_stream import CapturedResponse, aopen_stream, open_stream
from streamcore.replay.playing.players import AS_RECORDED, INSTANTLY, AsyncPlayer, Failures, SyncPlayer
from streamcore.replay.playing.replay import Choose, NoCaptureError, Replay, Source
from streamcore.replay.recording.clients import record
from streamcore.replay.recording.recorder import Exchange, Recorder
from streamcore.replay.redaction import DEFAULT_REDACTION, REDACTED, Redaction

__all__ = [
    "AS_RECORDED",
    "DEFAULT_REDACTION",
    "INSTANTLY",
    "REDACTED",
    "AsyncPlayer",
    "Capture",
    "CaptureError",
    "CapturedRequest",
    "CapturedResponse",
    "Choose",
    "Chunk",
    "Chunking",
    "End",
    "Exchange",
    "Failures",
    "Fault",
    "Format",
    "NoCaptureError",
    "Pause",
    "RandomChunks",
    "Recorder",
    "Redaction",
    "Replay",
    "Source",
    "Step",
    "SyncPlayer",
    "aopen_stream",
    "format_of",
    "open_capture",
    "open_stream",
    "parse_chunking",
    "parse_fault",
    "read_captures",
    "record",
    "write_captures",
]
