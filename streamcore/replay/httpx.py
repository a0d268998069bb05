"""Transports that play and record captures, for clients on httpx, the library that httpx2
began as.

```python
http_client = httpx.Client(transport=ReplayTransport("weather.jsonl"))
```
"""

from __future__ import annotations

import httpx

from streamcore.replay.transports import AsyncRecording, AsyncReplaying, Recording, Replaying, Streams

__all__ = ["AsyncRecordingTransport", "AsyncReplayTransport", "RecordingTransport", "ReplayTransport"]

_STREAMS = Streams(httpx)


class ReplayTransport(Replaying, httpx.BaseTransport):
    """Plays captures in place of sending requests. Takes what `Replaying` does."""

    streams = _STREAMS


class AsyncReplayTransport(AsyncReplaying, httpx.AsyncBaseTransport):
    """Plays captures in place of sending requests, under asyncio or trio. Takes what `Replaying` does."""

    streams = _STREAMS


class RecordingTransport(Recording, httpx.BaseTransport):
    """Sends requests and records what comes back. Takes what `Recording` does."""

    streams = _STREAMS


class AsyncRecordingTransport(AsyncRecording, httpx.AsyncBaseTransport):
    """Sends requests and records what comes back. Takes what `Recording` does."""

    streams = _STREAMS
