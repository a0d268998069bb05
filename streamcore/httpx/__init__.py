"""The client on httpx2: `import streamcore.httpx as anthropic`, and a program for the `anthropic` package runs.

What it may name is in `streamcore.api.names`, and which names of that package are not.
"""

from httpx2 import Timeout

from streamcore.api import names
from streamcore.api.names import *  # noqa: F403  # what every adapter has
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
