"""Server-sent events: bytes to `ServerSentEvent` values, after the WHATWG standard, and back.

The way of a byte: `_buffer` stores the chunks, `_frames` makes frames of them (by way of `_lines` and `_fields` where
that is needed), `_decoder` makes events of the frames. The Messages decoders stand on `FrameReader` too. Nothing in
this folder knows JSON or messages.
"""

from streamcore.sse._decoder import SSEDecoder
from streamcore.sse._event import ServerSentEvent, encode, encode_comment

__all__ = ["SSEDecoder", "ServerSentEvent", "encode", "encode_comment"]
