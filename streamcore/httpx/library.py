"""Tell httpx2 and httpx apart, and translate their exceptions and timeouts.

The two have the same names and different classes. Our own clients use httpx2. httpx is never imported here: an object
of httpx means that it was imported before.
"""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Mapping
from typing import Any

import httpx2

from streamcore.api import client
from streamcore.api.options import given
from streamcore.errors import APIConnectionError, InvalidArgumentError, connection_error

__all__ = ["DEFAULT_TIMEOUT", "library_of", "timeouts_of", "translate"]

DEFAULT_TIMEOUT = httpx2.Timeout(client.DEFAULT_TIMEOUT, connect=client.DEFAULT_CONNECT_TIMEOUT)
# The library's default, which is too short for an answer of a model.
_LIBRARY_TIMEOUTS = httpx2.Timeout(5.0).as_dict()


def library_of(thing: Any) -> Any:
    """Return the module of the library that a client or a response is of: httpx2 for stand-ins of the caller's own."""
    names = (cls.__module__.partition(".")[0] for cls in type(thing).__mro__)
    return sys.modules[next((name for name in names if name in ("httpx", "httpx2")), "httpx2")]


def translate(error: Exception, *, thing: Any, request: Any, doing: str) -> APIConnectionError:
    """Return our exception for one that the library raised.

    It may be the library's own, the system's, or one that the caller's transport or hook raised.

    Args:
        error: The exception.
        thing: The client or the response whose method raised it.
        request: The library's request.
        doing: What was going on, for the message.
    """
    timed_out = isinstance(error, library_of(thing).TimeoutException)
    return connection_error(error, timed_out=timed_out, request=request, doing=doing)


def timeouts_of(timeout: Any, http_timeout: Any) -> dict[str, float | None]:
    """Return the timeouts of one request as a new dict, the form that requests have.

    Args:
        timeout: Seconds, `None`, a `Timeout` of either library, or `NOT_GIVEN`.
        http_timeout: The `timeout` of the library's client. It counts unless it is the library's default.

    Raises:
        InvalidArgumentError: `timeout` is something else.
    """
    if not given(timeout):
        chosen = _as_dict(http_timeout)
        return _finite(DEFAULT_TIMEOUT.as_dict() if chosen is None or chosen == _LIBRARY_TIMEOUTS else chosen)
    if timeout is None or client.is_seconds(timeout):
        return _finite(httpx2.Timeout(timeout).as_dict())
    bounds = _as_dict(timeout)
    if bounds is None:
        raise InvalidArgumentError(
            f"timeout must be seconds above 0, None or an httpx Timeout, not {reprlib.repr(timeout)}"
        )
    client.check_bounds(timeout, bounds.values())
    return _finite(bounds)


def _as_dict(timeout: Any) -> Mapping[str, float | None] | None:
    as_dict = getattr(timeout, "as_dict", None)
    return as_dict() if as_dict is not None and not isinstance(timeout, type) else None


def _finite(timeouts: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the timeouts with None in the place of infinity, which sockets do not accept."""
    return {step: None if seconds == math.inf else seconds for step, seconds in timeouts.items()}
