"""The client on httpx2: `import streamcore.httpx as anthropic`, and a program for the `anthropic` package runs."""

from httpx2 import Timeout

from streamcore.api import names
from streamcore.api.names import *  # noqa: F403  # what every adapter has
from streamcore.httpx.client import Anthropic, AsyncAnthropic
from streamcore.httpx.responses import async_message_stream, message_stream

Client = Anthropic
AsyncClient = AsyncAnthropic

__all__ = [
    "Anthropic",
    "AsyncAnthropic",
    "AsyncClient",
    "Client",
    "Timeout",
    "async_message_stream",
    "message_stream",
]
__all__ += names.__all__
