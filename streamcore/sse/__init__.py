"""Server-sent events: bytes to `ServerSentEvent` values, after the WHATWG standard, and back.

| file | idea |
| --- | --- |
| `_buffer.py` | the chunks that have not been read |
| `_frames.py` | chunks to frames, by sections or by lines: what the decoders of messages use too |
| `_frames_state.py` | the state of the reader of frames, for checkpoints |
| `_sections.py` | by sections: what is between the blank lines of a chunk |
| `_names.py` | the frame of a section with a common name |
| `_by_lines.py` | by lines: the standard's algorithm |
| `_lines.py` | bytes to lines |
| `_fields.py` | lines to a frame |
| `_start.py` | whether a body begins like an event stream at all |
| `_decoder.py` | `SSEDecoder`: frames to events |
| `_event.py` | the event as a value, and its encoding |

Nothing in this folder knows JSON. Of messages it knows only the names of their events, because looking a name up is
faster than decoding it (`_names.py`).
"""

from streamcore.sse._decoder import SSEDecoder
from streamcore.sse._event import ServerSentEvent, encode, encode_comment
from streamcore.sse._start import begins_like_a_stream

__all__ = ["SSEDecoder", "ServerSentEvent", "begins_like_a_stream", "encode", "encode_comment"]
