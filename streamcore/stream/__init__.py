"""Message streams over any iterable of bytes, sync and async: what a user's loop sees.

| file | idea |
| --- | --- |
| `_pump.py` | chunks in, items out, without I/O: all that a stream decides while it is read |
| `failures.py` | which exception an `error` event, or an error in place of a stream, is raised as |
| `_base.py` | what sync and async streams share: properties, the order of what happens at the end, calls of handlers |
| `_stream.py`, `_async_stream.py` | `Stream` and `AsyncStream`: read chunks, and release the connection |
| `drain.py` | read what follows `message_stop` for a short time, so that the connection can be used again |
| `_event_loop.py` | the little that differs between asyncio and trio |
| `_message_stream.py` | `MessageStream` and `AsyncMessageStream`: the same with an engine, and views of a message |
| `_derived.py` | the derived events of a message stream |
| `_handlers.py` | which handlers a subclass overrides, and which event calls which |
| `_typed.py` | partial values and values at a path, as views of a stream |
| `_managers.py` | `MessageStreamManager`: open a stream on entering, close it on leaving |

The path of a chunk: a stream reads it and gives it to its pump, the pump gives it to the decoder and takes items from
that, and the stream calls handlers and returns the items one by one.

A stream is over when `message_stop` or the end of the bytes has come, when it has failed, or when it was closed. What
follows `message_stop` is not decoded. The connection is then released, once: at the end, by `close()` (from any thread
or task), by leaving a `with` block, by an interruption of a read such as a cancellation, or by garbage collection.
A stream that failed raises its failure again if it is read on.

A stream that has a response is a part of a call, so all its errors are `APIError` too. One over bytes alone raises what
its decoder raises.

Nothing here knows HTTP libraries or clients.
"""

from streamcore.stream._async_stream import AsyncStream
from streamcore.stream._derived import DerivingDecoder, derive
from streamcore.stream._managers import AsyncMessageStreamManager, MessageStreamManager
from streamcore.stream._message_stream import AsyncMessageStream, MessageStream
from streamcore.stream._pump import Decoder
from streamcore.stream._stream import Stream

__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "Decoder",
    "DerivingDecoder",
    "MessageStream",
    "MessageStreamManager",
    "Stream",
    "derive",
]
