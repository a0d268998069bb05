"""httpx2 or httpx: which of the two an object is from, and its exceptions as ours.

The two have the same names and different classes. httpx2 is what our own clients run on; httpx is never imported here,
but an object of its has imported it already.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import httpx2

from streamcore.api import client
from streamcore.api.errors import APIConnectionError, InvalidArgumentError, connection_error
from streamcore.api.request import NOT_GIVEN

__all__ = ["DEFAULT_TIMEOUT", "Library", "library_of", "timeouts_of"]

DEFAULT_TIMEOUT = httpx2.Timeout(client.DEFAULT_TIMEOUT, connect=client.DEFAULT_CONNECT_TIMEOUT)
# What a client of the library has if nobody chose: too short for an answer of a model.
_LIBRARY_TIMEOUTS = httpx2.Timeout(5.0).as_dict()


class Library:
    """The exceptions of httpx2 or httpx.

    Attributes:
        invalid_url: What a URL that is none raises.
    """

    def __init__(self, module: ModuleType) -> None:
        self.invalid_url: type[Exception] = module.InvalidURL
        self._timeout: type[Exception] = module.TimeoutException

    def translate(self, error: Exception, *, request: Any, doing: str) -> APIConnectionError:
        """Our exception for any that the library lets through: its own, the system's, or one that a transport or a hook
        of somebody else's has raised.

        Args:
            error: The exception.
            request: The library's request.
            doing: What was going on, for the message.
        """
        return connection_error(error, timed_out=isinstance(error, self._timeout), request=request, doing=doing)


_libraries: dict[str, Library] = {}


def library_of(thing: Any) -> Library:
    """The library that a client or a response is from; httpx2 for stand-ins that are from neither."""
    names = (cls.__module__.partition(".")[0] for cls in type(thing).__mro__)
    name = next((name for name in names if name in ("httpx", "httpx2")), "httpx2")
    if name not in _libraries:
        _libraries[name] = Library(sys.modules[name])
    return _libraries[name]


def timeouts_of(timeout: Any, http_timeout: Any) -> dict[str, float | None]:
    """The timeouts of one request, in the form in which requests carry them: a dict of its own.

    Args:
        timeout: Seconds, `None`, a `Timeout` of either library, or `NOT_GIVEN`.
        http_timeout: The `timeout` of the library's client: it counts if somebody chose it.

    Raises:
        InvalidArgumentError: It is nothing of the kind.
    """
    if timeout is NOT_GIVEN:
        chosen = _as_dict(http_timeout)
        return _finite(DEFAULT_TIMEOUT.as_dict() if chosen is None or chosen == _LIBRARY_TIMEOUTS else chosen)
    if timeout is None or client.is_seconds(timeout):
        return _finite(httpx2.Timeout(timeout).as_dict())
    given = _as_dict(timeout)
    if given is None:
        raise InvalidArgumentError(f"timeout must be seconds above 0, None or an httpx Timeout, not {timeout!r}")
    client.check_bounds(timeout, given.values())
    return _finite(given)


def _as_dict(timeout: Any) -> Mapping[str, float | None] | None:
    as_dict = getattr(timeout, "as_dict", None)
    return as_dict() if as_dict is not None and not isinstance(timeout, type) else None


def _finite(timeouts: Mapping[str, float | None]) -> dict[str, float | None]:
    """With none in the place of an infinite one, which sockets cannot reckon with."""
    return {step: None if seconds == math.inf else seconds for step, seconds in timeouts.items()}
