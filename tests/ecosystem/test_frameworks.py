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
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from frameworks import USES, Clients, Use
from guides import PACKAGE, answered, python_examples, run
from helpers import STREAMS, drive, stream_id
from server import Reply, Request, Server, error_reply, json_reply, serving, stream_reply

import streamcore.httpx

FRAMEWORKS = ("langchain_anthropic", "pydantic_ai", "llm_anthropic", "instructor")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(framework) is None for framework in FRAMEWORKS),
        reason="the frameworks are not installed: tests/ecosystem/frameworks.py says how",
    ),
    pytest.mark.filterwarnings("ignore"),  # theirs
]


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


# Streams that are read differently on purpose: see `streamcore/api/COMPARED.md` and `streamcore/testing/README.md`.
DIFFERENT = {
    "several": "messages one after the other: each is a message of its own",
    "ai__anthropic-tool-search-deferred-regex": "the same",
    "nameless": "events without names: the official client sees none",
    "unknown": "a token count that is null changes nothing",
}


def differs(official: Any, other: Any, unless: str | None) -> bool:
    """Return whether another client does not do what the official one does."""
    if isinstance(official, Exception):
        return type(other).__name__ != type(official).__name__ and type(official).__name__ != unless
    return bool(other != official)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.run.__name__)
def test_each_answer_is_the_same(bench: Bench, use: Use) -> None:
    faults = []
    for path in STREAMS:
        bench.server.always = answer_of(path)
        official = bench.run(use, bench.official)
        for clients in bench.others:
            if clients.name not in use.kinds:
                continue
            other = bench.run(use, clients)
            on_purpose = use.streams and (path.stem in DIFFERENT or path.parent.name == "broken")
            if differs(official, other, use.unless.get(clients.name)) and not on_purpose:
                faults.append(f"{stream_id(path)}, {clients.name}:\n  official {official!r}\n  other    {other!r}")
            if path.stem == "truncated" and use.streams:
                assert isinstance(other, Exception), f"{clients.name}: half an answer passes for a whole one: {other}"
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.run.__name__)
def test_errors_are_the_same(bench: Bench, use: Use) -> None:
    for status in (400, 401, 404, 429, 500, 529):
        bench.server.always = error_reply(status)
        official = bench.run(use, bench.official)
        assert isinstance(official, Exception)
        for clients in bench.others:
            if clients.name in use.kinds:
                other = bench.run(use, clients)
                assert isinstance(other, Exception)
                assert status_of(other) == status_of(official) == status, clients.name


def status_of(error: Any) -> int | None:
    """Return the status of the exception, or of the client's exception that a framework has replaced by its own."""
    while error is not None and not hasattr(error, "status_code"):
        error = error.__cause__ or error.__context__
    return getattr(error, "status_code", None)


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
