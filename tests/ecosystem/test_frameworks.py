"""Frameworks on our clients, and on wrapped official ones, make of each answer what they make of it on official ones.

`frameworks.py` says how to install them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from frameworks import USES, Clients, Use
from helpers import STREAMS, drive, stream_id
from server import Reply, Request, Server, error_reply, json_reply, serving, stream_reply

import streamcore.httpx

for _framework in ("langchain_anthropic", "pydantic_ai", "llm_anthropic", "instructor"):
    pytest.importorskip(_framework, reason="tests/ecosystem/frameworks.py says how to install the frameworks")

pytestmark = pytest.mark.slow


@attrs.frozen
class Bench:
    """Clients of each kind for one server."""

    server: Server
    official: Clients
    others: tuple[Clients, ...]
    portal: BlockingPortal

    def run(self, use: Use, clients: Clients) -> Any:
        """Return what a framework makes of the answer, or the exception."""
        try:
            return self.portal.call(use.run, clients) if inspect.iscoroutinefunction(use.run) else use.run(clients)
        except Exception as error:  # noqa: BLE001  # this is the outcome
            return error


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with serving() as server, start_blocking_portal() as portal:
        options: dict[str, Any] = {"api_key": "key", "base_url": server.url, "max_retries": 0}

        def clients(name: str, module: Any, change: Callable[[Any], Any] = lambda client: client) -> Clients:
            return Clients(name, change(module.Anthropic(**options)), change(module.AsyncAnthropic(**options)))

        official = clients("official", anthropic)
        kinds = [clients("ours", streamcore.httpx)]
        try:
            from streamcore.anthropic import wrap
        except ImportError:
            pass
        else:
            kinds.append(clients("wrapped", anthropic, wrap))
        yield Bench(server, official, tuple(kinds), portal)
        for kind in (official, *kinds):
            kind.sync.close()
            portal.call(kind.asynchronous.close)


def answer_of(path: Path) -> Callable[[Request], Reply]:
    """Answer with this stream, or with the message that it adds up to."""
    data = path.read_bytes()
    snapshot = drive(data).snapshot
    assert snapshot is not None
    message = snapshot.to_dict()
    return lambda request: stream_reply(data) if request.json().get("stream") else json_reply(message)


def differs(use: Use, path: Path | None, official: Any, other: Any) -> bool:
    """Return whether another client does not do what the official one does."""
    if isinstance(other, Exception) and path is not None and use.streams and path.parent.name == "broken":
        return False  # on purpose: see `streamcore/api/COMPARED.md`
    if isinstance(official, Exception):
        return type(other).__name__ != type(official).__name__
    return bool(other != official)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.run.__name__)
def test_each_answer_is_the_same(bench: Bench, use: Use) -> None:
    faults = []
    for path in STREAMS:
        bench.server.always = answer_of(path)
        official = bench.run(use, bench.official)
        for clients in bench.others:
            if clients.name in use.kinds and differs(use, path, official, other := bench.run(use, clients)):
                faults.append(f"{stream_id(path)}, {clients.name}:\n  official {official!r}\n  other    {other!r}")
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.run.__name__)
def test_errors_are_the_same(bench: Bench, use: Use) -> None:
    faults = []
    for status in (400, 401, 404, 429, 500, 529):
        bench.server.always = error_reply(status)
        official = bench.run(use, bench.official)
        assert isinstance(official, Exception)
        for clients in bench.others:
            if clients.name in use.kinds and differs(use, None, official, other := bench.run(use, clients)):
                faults.append(f"{status}, {clients.name}:\n  official {official!r}\n  other    {other!r}")
    assert not faults, "\n".join(faults)
