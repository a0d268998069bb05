"""The client on aiohttp: `import streamcore.aiohttp as anthropic`, and an async program runs. asyncio only.

| file | idea |
| --- | --- |
| `client.py` | `AsyncAnthropic`: a call to an answer |
| `connections.py` | the session it sends with, its own or one handed in |
| `proxies.py` | the proxy that the environment names for a URL |
| `timeouts.py` | which timeouts a request has |
| `bodies.py` | the body of a request, sent within a time |
| `answers.py` | a response: its body chunk by chunk, closed for sure |
| `responses.py` | a response that somebody else asked for, as a stream |
"""

from aiohttp import ClientTimeout

from streamcore.aiohttp.client import AsyncAnthropic
from streamcore.aiohttp.responses import async_message_stream
from streamcore.aiohttp.timeouts import DEFAULT_TIMEOUT
from streamcore.api import names
from streamcore.api.names import *  # noqa: F403  # what every adapter has

AsyncClient = AsyncAnthropic
Timeout = ClientTimeout

__all__ = ["DEFAULT_TIMEOUT", "AsyncAnthropic", "AsyncClient", "Timeout", "async_message_stream"]
__all__ += names.__all__
