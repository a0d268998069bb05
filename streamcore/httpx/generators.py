"""The async generators that read the body of a response, which event loops must not see.

A body is read by six to eight of them, each inside the next, in httpx and httpcore. Both asyncio and trio close the
generators that are left half-read. asyncio closes all at once. Those of a body close each other, and then fail because
one "is already running". trio closes them in any order, and warns about each that was dropped. So `first_of` hides the
generators of a body, and `streamcore.api.loops` closes the body as a whole when the loop ends.

Simpler ways were considered:

- Setting the hooks of `first_of` once, around the first read: while it waits, other tasks would start their generators
  under our hooks. So the hooks are set for each step, and the steps are passed on by hand. `yield from` cannot do it.
- Closing only the response: that does not end the generators, which the loop would finalize later, with a complaint.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import AsyncGenerator, Generator
from types import AsyncGeneratorType
from typing import Any, TypeVar

__all__ = ["abandon", "first_of"]

_T = TypeVar("_T")


@types.coroutine
def first_of(chunks: AsyncGenerator[_T], started: list[Any]) -> Generator[Any, Any, _T]:
    """Return the first of `chunks`, and append the async generators that are started by it to `started`.

    `chunks` is the first of these. The event loop does not see them, so the owner of the list must close them. The
    hooks that hide them are set for each step alone, so that other tasks, which run in between, keep theirs.
    """
    with _first_iterations(started):
        iterator: Any = chunks.__anext__()
    step = functools.partial(iterator.send, None)
    while True:
        try:
            with _first_iterations(started):
                waits_for = step()
        except StopIteration as end:
            chunk: _T = end.value
            return chunk
        try:
            sent = yield waits_for
        except BaseException as error:  # noqa: BLE001  # passed on to the iterator
            step = functools.partial(iterator.throw, error)
        else:
            step = functools.partial(iterator.send, sent)


@contextlib.contextmanager
def _first_iterations(started: list[Any]) -> Generator[None]:
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=started.append, finalizer=None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*hooks)


def abandon(generators: list[AsyncGeneratorType[Any, Any]]) -> None:
    """End generators without an event loop.

    The system closes the socket. But the interpreter would finalize each generator, which fails as no loop is running,
    and print its traceback.
    """
    for generator in generators:
        with contextlib.suppress(BaseException):
            steps = generator.aclose().__await__()
            next(steps)
            steps.close()
