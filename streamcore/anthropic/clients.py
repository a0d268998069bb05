"""`wrap`: a client of the official package, with other `messages` and `beta`.

The wrapped client is a view of the client that was passed: it has the same options and connections, and its attributes
are those of that client. The official code never sees the view, so everything else that it does stays as it is.

Other ways were considered. A subclass is not possible: the package treats `type(client) is Anthropic` as special, for
its credentials. A copy of the client with other attributes would make the official tool runner, which calls
`client.beta.messages`, run on our streams, which it cannot; and it would not notice when an option of the client is
set.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

import anthropic

from streamcore.anthropic.answers import is_bedrock
from streamcore.anthropic.messages import AsyncBeta, AsyncMessages, Beta, Messages
from streamcore.anthropic.own import OwnBeta, OwnMessages
from streamcore.api.face import AsyncClient, SyncClient
from streamcore.errors import InvalidArgumentError

__all__ = [
    "AsyncWrapped",
    "AsyncWrappedBedrock",
    "AsyncWrappedVertex",
    "Wrapped",
    "WrappedBedrock",
    "WrappedVertex",
    "wrap",
]


class _View:
    """What sync and async views share: the attributes of the client, and `isinstance`."""

    _messages_class: Any
    _beta_class: Any

    def __init__(self, client: Any) -> None:
        vars(self)["__wrapped__"] = client
        if isinstance(client, (SyncClient, AsyncClient)):
            vars(self).update(messages=OwnMessages(client.messages), beta=OwnBeta(client.beta))
            return
        bedrock = is_bedrock(client)
        vars(self)["messages"] = self._messages_class(client.messages, bedrock=bedrock)
        vars(self)["beta"] = self._beta_class(client.beta, bedrock=bedrock)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "__wrapped__"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("messages", "beta"):  # tests put something else in their place for a while
            vars(self)[name] = value
        else:
            setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    @property  # type: ignore[misc]  # it cannot be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # for `isinstance`
        return type(self.__wrapped__)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __repr__(self) -> str:
        return f"wrap({self.__wrapped__!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return wrap, (self.__wrapped__,)

    def copy(self, **changes: Any) -> Self:
        """Return a wrapped client with the same options except for `changes`."""
        return type(self)(self.__wrapped__.copy(**changes))

    def with_options(self, **changes: Any) -> Self:
        """Do the same as `copy()`."""
        return type(self)(self.__wrapped__.with_options(**changes))

    def with_middleware(self, *middleware: Any) -> Self:
        """Return a wrapped client with more middleware."""
        return type(self)(self.__wrapped__.with_middleware(*middleware))


class _SyncView(_View):
    _messages_class = Messages
    _beta_class = Beta

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__wrapped__.__exit__(exc_type, exc, traceback)


class _AsyncView(_View):
    _messages_class = AsyncMessages
    _beta_class = AsyncBeta

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.__wrapped__.__aexit__(exc_type, exc, traceback)


if TYPE_CHECKING:
    from anthropic.lib.bedrock import AnthropicBedrock, AsyncAnthropicBedrock
    from anthropic.lib.vertex import AnthropicVertex, AsyncAnthropicVertex

    # A view is an instance of its client's class to `isinstance`, and so it is to type checkers.

    class Wrapped(anthropic.Anthropic):
        """`Anthropic`, or one of its subclasses, wrapped."""

        messages: Messages  # type: ignore[assignment]
        beta: Beta  # type: ignore[assignment]

    class WrappedBedrock(AnthropicBedrock):
        """`AnthropicBedrock`, wrapped."""

        messages: Messages  # type: ignore[assignment]
        beta: Beta  # type: ignore[assignment]

    class WrappedVertex(AnthropicVertex):
        """`AnthropicVertex`, wrapped."""

        messages: Messages  # type: ignore[assignment]
        beta: Beta  # type: ignore[assignment]

    class AsyncWrapped(anthropic.AsyncAnthropic):
        """`AsyncAnthropic`, or one of its subclasses, wrapped."""

        messages: AsyncMessages  # type: ignore[assignment]
        beta: AsyncBeta  # type: ignore[assignment]

    class AsyncWrappedBedrock(AsyncAnthropicBedrock):
        """`AsyncAnthropicBedrock`, wrapped."""

        messages: AsyncMessages  # type: ignore[assignment]
        beta: AsyncBeta  # type: ignore[assignment]

    class AsyncWrappedVertex(AsyncAnthropicVertex):
        """`AsyncAnthropicVertex`, wrapped."""

        messages: AsyncMessages  # type: ignore[assignment]
        beta: AsyncBeta  # type: ignore[assignment]

else:
    Wrapped = WrappedBedrock = WrappedVertex = _SyncView
    AsyncWrapped = AsyncWrappedBedrock = AsyncWrappedVertex = _AsyncView


@overload
def wrap(client: anthropic.Anthropic) -> Wrapped: ...
@overload
def wrap(client: anthropic.AsyncAnthropic) -> AsyncWrapped: ...
@overload
def wrap(client: AnthropicBedrock) -> WrappedBedrock: ...
@overload
def wrap(client: AsyncAnthropicBedrock) -> AsyncWrappedBedrock: ...
@overload
def wrap(client: AnthropicVertex) -> WrappedVertex: ...
@overload
def wrap(client: AsyncAnthropicVertex) -> AsyncWrappedVertex: ...
@overload
def wrap(client: Any) -> Any: ...
def wrap(client: Any) -> Any:
    """Return a client of the official package as one whose streams are those of streamcore.

    ```python
    client = wrap(anthropic.AnthropicBedrock())
    with client.messages.stream(model=..., max_tokens=1024, messages=[...]) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    ```

    `messages.stream`, `messages.create(stream=True)` and the same of `beta.messages` give our streams, events and
    snapshots. Everything else is that client, which is not changed: the result is a view of it, with the same options
    and connections. `isinstance(wrapped, anthropic.Anthropic)` is true if it is true of the client, and
    `wrapped.__wrapped__` is the client.

    Args:
        client: Any client of the package, sync or async: `Anthropic`, `AnthropicBedrock`, `AnthropicVertex`,
            `AnthropicFoundry` and the others. A wrapped client is returned as it is. A client of streamcore can be
            wrapped too, for frameworks that compare what it gives with the official classes.

    Raises:
        InvalidArgumentError: `client` is something else.
    """
    if issubclass(type(client), _View):
        return client
    is_official = any(cls.__module__.partition(".")[0] == "anthropic" for cls in client.__class__.__mro__)
    if not is_official and not isinstance(client, (SyncClient, AsyncClient)):
        raise InvalidArgumentError(f"client must be a client of the anthropic package or of streamcore, not {client!r}")
    if not all(hasattr(client, name) for name in ("messages", "beta", "with_options")):
        raise InvalidArgumentError(f"client must be a client of the anthropic package with messages, not {client!r}")
    return _AsyncView(client) if hasattr(client, "__aenter__") else _SyncView(client)
