"""Clients on httpx2: with `import streamcore.httpx as anthropic`, programs for the `anthropic` package run.

`streamcore.api.names` says which names of that package are here, and which are not.
"""

from streamcore._extras import requires_extra
from streamcore.api import names
from streamcore.api.names import *  # noqa: F403  # all adapters have these

with requires_extra("httpx"):
    from httpx2 import Timeout

    from streamcore.httpx.client import (
        DEFAULT_CONNECTION_LIMITS,
        DEFAULT_TIMEOUT,
        Anthropic,
        AsyncAnthropic,
        DefaultAsyncHttpxClient,
        DefaultHttpxClient,
    )
    from streamcore.httpx.responses import async_message_stream, message_stream

Client = Anthropic
AsyncClient = AsyncAnthropic

__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_TIMEOUT",
    "Anthropic",
    "AsyncAnthropic",
    "AsyncClient",
    "Client",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "Timeout",
    "async_message_stream",
    "message_stream",
]
__all__ += names.__all__
