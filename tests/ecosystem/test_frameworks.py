"""Frameworks on our clients, and on wrapped official ones, make of each answer what they make of it on official ones.

`frameworks.py` says how to install them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anthropic
import attrs
import httpx2
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from frameworks import USES, Clients, Use
from guides import PACKAGE, answered, python_examples, run
from helpers import STREAMS, stream_id
from server import serving

import streamcore.httpx
from streamcore.anthropic import wrap
from streamcore.replay.httpx2 import AsyncReplayTransport, ReplayTransport

FRAMEWORKS = ("langchain_anthropic", "pydantic_ai", "llm_anthropic", "instructor")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(framework) is None for framework in FRAMEWORKS),
        reason="the frameworks are not installed: tests/ecosystem/frameworks.py says how",
    ),
    pytest.mark.filterwarnings("ignore"),  # theirs
]


GUIDE = PACKAGE / "api" / "FRAMEWORKS.md"


@pytest.mark.parametrize("example", python_examples(GUIDE))
def test_the_examples_of_the_guide_run(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always=answered) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        run(example)


def test_the_guide_says_which_versions_are_tested() -> None:
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 4
    for name, tested in rows:
        assert version({"pydantic-ai": "pydantic-ai-slim"}.get(name, name)) == tested


class Switch(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A transport of clients that stay, in front of one that is another for each answer."""

    def __init__(self) -> None:
        self.sync: Any = None
        self.asynchronous: Any = None

    def play(self, path: Path) -> None:
        """Answer with this stream, or with the message that it adds up to."""
        self.sync, self.asynchronous = ReplayTransport(path, repeat=True), AsyncReplayTransport(path, repeat=True)

    def refuse(self, status: int) -> None:
        """Answer with an error."""
        body = {"type": "error", "error": {"type": "api_error", "message": "it failed"}}
        self.sync = self.asynchronous = httpx2.MockTransport(lambda request: httpx2.Response(status, json=body))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response: httpx2.Response = self.sync.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response: httpx2.Response = await self.asynchronous.handle_async_request(request)
        return response


@attrs.frozen
class Bench:
    """Official clients and others, which get their answers from one transport."""

    transport: Switch
    official: Clients
    other: Clients
    portal: BlockingPortal

    def play(self, path: Path, use: Use) -> tuple[Any, Any]:
        """Return what a framework makes of this stream, or of the message it adds up to, on both kinds of clients."""
        outcomes = []
        for clients in (self.official, self.other):
            self.transport.play(path)
            outcomes.append(self._run(use, clients))
        return outcomes[0], outcomes[1]

    def refuse(self, status: int, use: Use) -> tuple[Any, Any]:
        """Return the exceptions that a framework raises for a status."""
        self.transport.refuse(status)
        return self._run(use, self.official), self._run(use, self.other)

    def _run(self, use: Use, clients: Clients) -> Any:
        try:
            return self.portal.call(use.run, clients) if inspect.iscoroutinefunction(use.run) else use.run(clients)
        except Exception as error:  # noqa: BLE001  # this is the outcome
            return error


@pytest.fixture(scope="module", params=["ours", "wrapped"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    transport = Switch()

    def client(cls: Any, http_client: Any) -> Any:
        return cls(api_key="key", base_url="http://replay", max_retries=0, http_client=http_client(transport=transport))

    def clients(module: Any, change: Callable[[Any], Any] = lambda client: client) -> Clients:
        sync = change(client(module.Anthropic, httpx2.Client))
        return Clients(request.param, sync, change(client(module.AsyncAnthropic, httpx2.AsyncClient)))

    with start_blocking_portal() as portal:
        official = clients(anthropic)
        other = clients(streamcore.httpx) if request.param == "ours" else clients(anthropic, wrap)
        yield Bench(transport, official, other, portal)
        for kind in (official, other):
            kind.sync.close()
            portal.call(kind.asynchronous.close)


# Streams that are read differently on purpose: see `streamcore/api/COMPARED.md` and `streamcore/testing/README.md`.
DIFFERENT = {
    "several": "messages one after the other: each is a message of its own",
    "ai__anthropic-tool-search-deferred-regex": "the same",
    "nameless": "events without names: the official client sees none",
    "unknown": "a token count that is null changes nothing",
}


def differs(official: Any, other: Any, unless: str | None) -> bool:
    """Return whether another client does not do what the official one does."""
    if isinstance(official, AttributeError):
        return False  # a mistake of the framework, which takes a dict for a model
    if isinstance(official, Exception):
        name = type(official).__name__
        # A framework replaces official exceptions by its own, and passes ours on.
        same_status = isinstance(other, Exception) and status_of(other) == status_of(official)
        return type(other).__name__ != name and not same_status and name != unless
    return bool(other != official)


each_use = pytest.mark.parametrize("use", USES, ids=lambda use: use.run.__name__)


@each_use
def test_each_answer_is_the_same(bench: Bench, use: Use) -> None:
    faults = []
    for path in STREAMS:
        official, other = bench.play(path, use)
        on_purpose = use.streams and (path.stem in DIFFERENT or path.parent.name == "broken")
        if differs(official, other, use.unless.get(bench.other.name)) and not on_purpose:
            faults.append(f"{stream_id(path)}:\n  official {official!r}\n  other    {other!r}")
        if path.stem == "truncated" and use.streams:
            assert isinstance(other, Exception), f"half an answer passes for a whole one: {other}"
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults)


@each_use
def test_errors_are_the_same(bench: Bench, use: Use) -> None:
    for status in (400, 401, 404, 429, 500, 529):
        official, other = bench.refuse(status, use)
        assert isinstance(official, Exception)
        assert isinstance(other, Exception)
        assert status_of(other) == status_of(official) == status


def status_of(error: Any) -> int | None:
    """Return the status of the exception, or of the client's exception that a framework has replaced by its own."""
    while error is not None and not hasattr(error, "status_code"):
        error = error.__cause__ or error.__context__
    return getattr(error, "status_code", None)
