"""Transports that play and record captures, for clients on httpx2, and so for `streamcore.httpx` and the
official `anthropic` client.

```python
http_client = httpx2.Client(transport=ReplayTransport("weather.jsonl"))
```
"""

from __future__ import annotations

import httpx2

from streamcore.replay.transports import AsyncRecording, AsyncReplaying, Recording, Replaying, Streams

__all__ = ["AsyncRecordingTransport", "AsyncReplayTransport", "RecordingTransport", "ReplayTransport"]

_STREAMS = Streams(httpx2)


class ReplayTransport(Replaying, httpx2.BaseTransport):
    """Plays captures in place of sending requests. Takes what `Replaying` does."""

    streams = _STREAMS


class AsyncReplayTransport(AsyncReplaying, httpx2.AsyncBaseTransport):
    """Plays captures in place of sending requests, under asyncio or trio. Takes what `Replaying` does."""

    streams = _STREAMS


class RecordingTransport(Recording, httpx2.BaseTransport):
    """Sends requests and records what comes back. Takes what `Recording` does."""

    streams = _STREAMS


class AsyncRecordingTransport(AsyncRecording, httpx2.AsyncBaseTransport):
    """Sends requests and records what comes back. Takes what `Recording` does."""

    streams = _STREAMS
