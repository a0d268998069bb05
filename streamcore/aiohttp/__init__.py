"""The async client on aiohttp: with `import streamcore.aiohttp as anthropic`, programs for `anthropic` run on asyncio.

| file | idea |
| --- | --- |
| `client.py` | `AsyncAnthropic`: send a call, return its answer |
| `connections.py` | the session that sends: the client's own, or one that was passed |
| `proxies.py` | the proxy that the environment names for a URL |
| `timeouts.py` | which timeouts a request has |
| `bodies.py` | the body of a request, sent within a time limit |
| `open_response.py` | a response as an answer: its body in chunks, reliably closed |
| `from_response.py` | a response that the caller asked for, as a stream |
"""
# ruff: noqa: F403

from typing import TYPE_CHECKING

from streamcore._extras import requires_extra
from streamcore.api import names
from streamcore.api.names import *
from streamcore.api.names import __version__ as __version__

with requires_extra("aiohttp"):
    from aiohttp import ClientTimeout

    from streamcore.aiohttp.client import AsyncAnthropic as AsyncAnthropic
    from streamcore.aiohttp.from_response import async_message_stream as async_message_stream
    from streamcore.aiohttp.timeouts import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT

AsyncClient = AsyncAnthropic
Timeout = ClientTimeout

if not TYPE_CHECKING:
    from streamcore.api.import_paths import add_import_paths, missing_attribute

    add_import_paths(__name__)

    def __getattr__(name):
        raise missing_attribute(__name__, name)

    # a type checker would see an `__all__` without the names of the star import
    __all__ = ["DEFAULT_TIMEOUT", "AsyncAnthropic", "AsyncClient", "Timeout", "async_message_stream", *names.__all__]
