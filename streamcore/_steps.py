"""Write a procedure once for sync and async code: as a generator of steps.

Each step is a function to call, with its arguments. `run` calls it; `run_async` also awaits what it returns. The result
comes back from the `yield`, and a step that fails raises there, so `try` and `finally` in the generator mean what they
always mean.

The alternative is an async source and a script that generates the sync one. It would add the script, a check in CI and
the generated files, for procedures of 200 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

__all__ = ["Step", "Steps", "run", "run_async"]

_T = TypeVar("_T")

Step: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]
"""Something to call, and its arguments. For async code it returns an awaitable, or None if it does not have to wait."""

Steps: TypeAlias = Generator[Step, Any, _T]
"""A procedure that returns a `_T`."""


def run(steps: Steps[_T]) -> _T:
    """Take the steps one by one, and return the result of the procedure."""
    try:
        call, arguments = next(steps)
        while True:
            try:
                result = call(*arguments)
            except BaseException as error:  # noqa: BLE001  # raised again, in the generator
                call, arguments = steps.throw(error)
            else:
                call, arguments = steps.send(result)
    except StopIteration as end:
        returned: _T = end.value
        return returned


async def run_async(steps: Steps[_T]) -> _T:
    """Take the steps one by one, await what they return, and return the result of the procedure."""
    try:
        call, arguments = next(steps)
        while True:
            try:
                awaitable = call(*arguments)
                result = None if awaitable is None else await awaitable
            except BaseException as error:  # noqa: BLE001  # raised again, in the generator
                call, arguments = steps.throw(error)
            else:
                call, arguments = steps.send(result)
    except StopIteration as end:
        returned: _T = end.value
        return returned
