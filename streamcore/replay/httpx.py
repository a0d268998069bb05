"""Play and record captures with clients on httpx.

```python
http_client = httpx.Client(transport=ReplayTransport("weather.jsonl"))
```
"""

from __future__ import annotations

from streamcore._extras import NotInstalledError
from streamcore.replay.transports.library import Library
from streamcore.replay.transports.recording_transports import AsyncRecording, Recording
from streamcore.replay.transports.replaying_transports import AsyncReplaying, Replaying

try:
    import httpx
except ModuleNotFoundError as _error:
    raise NotInstalledError(f"{_error.name} is not installed, which this needs: pip install httpx") from None

__all__ = ["AsyncRecordingTransport", "AsyncReplayTransport", "RecordingTransport", "ReplayTransport"]

_LIBRARY = Library(httpx)


class ReplayTransport(Replaying, httpx.BaseTransport):
    """Plays captures in place of sending requests. It takes the arguments of `Replay`, `sleep` and `clock`."""

    library = _LIBRARY


class AsyncReplayTransport(AsyncReplaying, httpx.AsyncBaseTransport):
    """`ReplayTransport` for async clients, under asyncio or trio."""

    library = _LIBRARY


class RecordingTransport(Recording, httpx.BaseTransport):
    """Records what another transport receives. It takes a file or a `Recorder`, and the other transport."""

    library = _LIBRARY


class AsyncRecordingTransport(AsyncRecording, httpx.AsyncBaseTransport):
    """`RecordingTransport` for async clients."""

    library = _LIBRARY
