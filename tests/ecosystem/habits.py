"""Habits of programs that are written for the `anthropic` package: what a habit is, and how one runs on both packages.

A habit is a small function of a `Package`, which returns something that can be compared. Its docstring says what the
program does; it becomes a row in the guide `streamcore/api/COMPARED.md`. The catalogue is in the modules `habits_*.py`.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, TypeAlias

import anthropic
import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal
from helpers import FIXTURES, drive
from server import Reply, Request, Server, error_reply, json_reply, serving, stream_reply

import streamcore.httpx
from streamcore.anthropic import wrap

MESSAGES = [{"role": "user", "content": "Hi"}]

_STREAMS = {path.stem: path.read_bytes() for path in FIXTURES}
_BODIES: dict[str, Any] = {}


def answered(request: Request) -> Reply:
    """Answer with the fixture or the status that the name of the model says, such as `weather` or `status-429`."""
    asked = request.json()
    kind, _, name = asked["model"].partition(":")
    if kind == "status":
        return error_reply(int(name), **({"kind": "rate_limit_error"} if name == "429" else {}))
    data = _STREAMS.get(kind, _STREAMS["text"])
    if asked.get("stream"):
        return stream_reply(*(event + b"\n\n" for event in data.split(b"\n\n") if event))
    if kind not in _BODIES:
        snapshot = drive(data).snapshot
        assert snapshot is not None
        _BODIES[kind] = snapshot.to_dict()
    return json_reply(_BODIES[kind])


@attrs.frozen
class Package:
    """One of the two packages, with clients for a server on loopback.

    Attributes:
        module: The package: `anthropic` or `streamcore.httpx`.
        client: A sync client that does not repeat requests.
        async_client: An async client that does not repeat requests. Habits that are coroutines may use it.
        server: The server, which has the requests.
    """

    module: Any
    client: Any
    async_client: Any
    server: Server

    @property
    def types(self) -> Any:
        return self.module.types

    def load(self, module: str, *names: str) -> list[Any]:
        """Import names from a module of the package, and return them."""
        loaded = importlib.import_module(f"{self.module.__name__}.{module}")
        return [getattr(loaded, name) for name in names]

    def new(self, **options: Any) -> Any:
        """Return another client."""
        return self.module.Anthropic(**{"api_key": "key", "base_url": self.server.url, "max_retries": 0, **options})

    def create(self, model: str = "text", **arguments: Any) -> Any:
        return self.client.messages.create(**asking(model, **arguments))

    def stream(self, model: str = "text", **arguments: Any) -> Any:
        return self.client.messages.stream(**asking(model, **arguments))

    def sent(self, **arguments: Any) -> Any:
        """Return the body of the request that a call sends."""
        self.create(**arguments)
        return self.server.requests[-1].json()

    def final(self, model: str) -> Any:
        """Return the message that a stream adds up to."""
        with self.stream(model) as stream:
            return stream.get_final_message()


def asking(model: str = "text", **arguments: Any) -> dict[str, Any]:
    """Return the arguments of a call."""
    return {"model": model, "max_tokens": 100, "messages": MESSAGES, **arguments}


Relation: TypeAlias = Literal["same", "missing", "different"]


@attrs.frozen
class Habit:
    """A habit, and how the two packages compare.

    Attributes:
        area: What it is about.
        text: What the program does, as Markdown.
        run: Returns something that can be compared.
        relation: `same`: the values are equal. `missing`: here it raises an error that names what does it. `different`:
            the values, or the exceptions, differ on purpose.
        note: Why they differ, or what the error says.
    """

    area: str
    text: str
    run: Callable[[Package], Any]
    relation: Relation
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.run.__module__}.{self.run.__name__}"


HABITS: list[Habit] = []


@attrs.frozen
class Area:
    """Decorators that put habits of one area into the catalogue."""

    name: str

    def same(self, run: Callable[[Package], Any]) -> Callable[[Package], Any]:
        return self._add(run, "same")

    def different(self, why: str) -> Callable[..., Any]:
        return lambda run: self._add(run, "different", why)

    def missing(self, instead: str) -> Callable[..., Any]:
        return lambda run: self._add(run, "missing", instead)

    def _add(self, run: Callable[[Package], Any], relation: Relation, note: str = "") -> Callable[[Package], Any]:
        text = " ".join((run.__doc__ or "").split())
        assert text, f"{run.__name__} has no docstring"
        HABITS.append(Habit(self.name, text, run, relation, note))
        return run


@attrs.frozen
class Raised:
    """An exception that a habit ended with. Two are equal if their classes have one name."""

    name: str
    text: str = attrs.field(eq=False)
    kinds: tuple[str, ...] = attrs.field(eq=False)

    def __repr__(self) -> str:
        return f"{self.name}: {self.text}"


def outcome(habit: Habit, package: Package, portal: BlockingPortal) -> Any:
    """Return what a habit returns, or the exception that it raises."""
    package.server.forget()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if inspect.iscoroutinefunction(habit.run):
                return portal.call(habit.run, package)
            return habit.run(package)
    except Exception as error:  # noqa: BLE001  # this is the outcome
        return Raised(type(error).__name__, str(error), tuple(cls.__name__ for cls in type(error).__mro__))


@contextmanager
def packages() -> Iterator[tuple[list[Package], BlockingPortal]]:
    """Give the official package, ours, the official one with wrapped clients; and the event loop of async clients."""
    with serving(always=answered) as server, start_blocking_portal("asyncio") as portal, ExitStack() as stack:

        def opened(module: Any) -> Package:
            options: Any = {"api_key": "key", "base_url": server.url, "max_retries": 0}
            client = stack.enter_context(module.Anthropic(**options))
            async_client = stack.enter_context(portal.wrap_async_context_manager(module.AsyncAnthropic(**options)))
            return Package(module, client, async_client, server)

        there, here = opened(anthropic), opened(streamcore.httpx)
        wrapped = Package(anthropic, wrap(there.client), wrap(there.async_client), server)
        yield [there, here, wrapped], portal
