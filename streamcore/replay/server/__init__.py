"""Serve captures, or record as a proxy, on aiohttp.

| file | idea |
| --- | --- |
| `endpoint.py` | `serve`, `serving`: a Messages endpoint that plays captures |
| `proxy.py` | `proxy`, `proxying`: pass requests on to an API, and record its answers |
| `upstream.py` | through which other proxy, and with which login, it reaches the API |
| `listening.py` | start and stop a server, and refuse the requests that reach neither |
"""

from streamcore.replay.server.endpoint import Endpoint, serve, serving

__all__ = ["Endpoint", "serve", "serving"]
