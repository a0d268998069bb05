"""All clients of the official package, wrapped, talking to a server of the tests with made-up credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import attrs
import pytest
from adapters import Blocking
from anyio.from_thread import start_blocking_portal
from bedrock_frames import BINARY, binary_of_stream
from server import Reply, Server, serving, stream_reply

from streamcore.anthropic import wrap

_AWS = {"aws_access_key": "made-up", "aws_secret_key": "made-up", "aws_region": "us-east-1"}
_VERTEX = {"access_token": "made-up", "region": "us-east5", "project_id": "project"}
_FOUNDRY = {"api_key": "made-up"}
_KEY = {"api_key": "made-up"}


@attrs.frozen
class Kind:
    """A client of the official package.

    Attributes:
        make: Its class.
        options: The credentials.
        is_async: Whether it is async. `client` returns one for sync code nevertheless.
        binary: Whether its streams come in frames.
    """

    make: Any
    options: dict[str, Any]
    is_async: bool = False
    binary: bool = False

    def __str__(self) -> str:
        return str(self.make.__name__)

    def official(self, server: Server, **options: Any) -> Any:
        return self.make(**{**self.options, "base_url": server.url, "max_retries": 0, **options})

    def reply(self, data: bytes) -> Reply:
        """The reply of this client's server with a stream."""
        if self.binary:
            return stream_reply(*binary_of_stream(data), headers=BINARY)
        return stream_reply(data)


KINDS = [
    Kind(anthropic.Anthropic, _KEY),
    Kind(anthropic.AsyncAnthropic, _KEY, is_async=True),
    Kind(anthropic.AnthropicBedrock, _AWS, binary=True),
    Kind(anthropic.AsyncAnthropicBedrock, _AWS, is_async=True, binary=True),
    Kind(anthropic.AnthropicVertex, _VERTEX),
    Kind(anthropic.AsyncAnthropicVertex, _VERTEX, is_async=True),
    Kind(anthropic.AnthropicFoundry, _FOUNDRY),
    Kind(anthropic.AsyncAnthropicFoundry, _FOUNDRY, is_async=True),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@attrs.frozen
class Setup:
    """A wrapped client for sync code, and its server."""

    kind: Kind
    server: Server
    client: Any


def set_up(kind: Kind, **options: Any) -> Iterator[Setup]:
    """A wrapped client of this kind, closed at the end; for fixtures to yield from."""
    with serving() as server:
        client = wrap(kind.official(server, **options))
        if kind.is_async:
            with start_blocking_portal("asyncio", {"debug": True}) as portal:
                yield Setup(kind, server, Blocking(portal, client))
                portal.call(client.close)
        else:
            yield Setup(kind, server, client)
            client.close()
        server.wait_until_idle()
