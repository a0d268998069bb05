"""Play and record captures with clients on httpx2: those of `streamcore.httpx`, and the official `anthropic` client.

```python
http_client = httpx2.Client(transport=ReplayTransport("weather.jsonl"))
```
"""

from __future__ import annotations

from streamcore._extras import requires_extra
from streamcore.replay.transports.library import Library
from streamcore.replay.transports.recording_transports import AsyncRecording, Recording
from streamcore.replay.transports.replaying_transports import AsyncReplaying, Replaying

with requires_extra("httpx"):
    import httpx2

__all__ = ["AsyncRecordingTransport", "AsyncReplayTransport", "RecordingTransport", "ReplayTransport"]

_LIBRARY = Library(httpx2)


class ReplayTransport(Replaying, httpx2.BaseTransport):
    """Plays captures in place of sending requests. It takes the arguments of `Replay`, `sleep` and `clock`."""

    library = _LIBRARY


class AsyncReplayTransport(AsyncReplaying, httpx2.AsyncBaseTransport):
    """`ReplayTransport` for async clients, under asyncio or trio."""

    library = _LIBRARY


class RecordingTransport(Recording, httpx2.BaseTransport):
    """Records what another transport receives. It takes a file or a `Recorder`, and the other transport."""

    library = _LIBRARY


class AsyncRecordingTransport(AsyncRecording, httpx2.AsyncBaseTransport):
    """`RecordingTransport` for async clients."""

    library = _LIBRARY
