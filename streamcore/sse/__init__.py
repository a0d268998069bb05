"""Server-sent events: bytes to `ServerSentEvent` values, after the WHATWG standard, and back.

The path of a byte: `_buffer` stores the chunks. `_frames` makes frames of them by sections (`_sections`, `_names`), or
line by line (`_by_lines`, `_lines`, `_fields`) where needed. `_decoder` makes events of the frames, and `_event`
encodes them. The Messages decoders use `FrameReader` too. Nothing in this folder knows JSON or messages.
"""

from streamcore.sse._decoder import SSEDecoder
from streamcore.sse._event import ServerSentEvent, encode, encode_comment

__all__ = ["SSEDecoder", "ServerSentEvent", "encode", "encode_comment"]
