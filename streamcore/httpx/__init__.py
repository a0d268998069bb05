"""Clients on httpx2: with `import streamcore.httpx as anthropic`, programs for the `anthropic` package run.

`streamcore.api.names` says which names of that package are here, and which are not.
"""
# ruff: noqa: F403

from typing import TYPE_CHECKING

from streamcore._extras import requires_extra
from streamcore.api import names
from streamcore.api.names import *
from streamcore.api.names import __version__ as __version__

with requires_extra("httpx"):
    from httpx2 import Timeout as Timeout

    from streamcore.httpx import client, from_response
    from streamcore.httpx.client import *
    from streamcore.httpx.from_response import *

Client = client.Anthropic
AsyncClient = client.AsyncAnthropic

if not TYPE_CHECKING:
    from streamcore.api.import_paths import add_import_paths, missing_attribute

    add_import_paths(__name__)

    def __getattr__(name):
        raise missing_attribute(__name__, name)

    # a type checker would see an `__all__` without the names of the star imports
    __all__ = ["AsyncClient", "Client", "Timeout", *client.__all__, *from_response.__all__, *names.__all__]
