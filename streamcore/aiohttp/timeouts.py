"""Which timeouts a request has: those of the call, of the client, or of a session that was handed in."""

from __future__ import annotations

import math
from typing import Any

from aiohttp import ClientTimeout
from aiohttp.client import DEFAULT_TIMEOUT as SESSION_DEFAULT

from streamcore.api.client import DEFAULT_CONNECT_TIMEOUT, check_bounds, is_seconds
from streamcore.api.client import DEFAULT_TIMEOUT as DEFAULT_SECONDS
from streamcore.api.errors import InvalidArgumentError
from streamcore.api.request import NOT_GIVEN

__all__ = ["DEFAULT_TIMEOUT", "steps_of", "timeouts_of"]

DEFAULT_TIMEOUT = ClientTimeout(
    connect=DEFAULT_SECONDS, sock_connect=DEFAULT_CONNECT_TIMEOUT, sock_read=DEFAULT_SECONDS
)


def timeouts_of(timeout: Any, session_timeout: ClientTimeout) -> ClientTimeout:
    """The timeouts of one request.

    Seconds bound each step, and not the whole: a stream may last longer than any of its silences. Who wants a bound on
    the whole gives a `ClientTimeout(total=...)`.

    Args:
        timeout: Seconds, `None`, a `ClientTimeout`, or `NOT_GIVEN`.
        session_timeout: The session's: it counts if somebody chose it. aiohttp's own default, five minutes for the
            whole, is too short for an answer of a model.

    Raises:
        InvalidArgumentError: It is nothing of the kind.
    """
    if timeout is NOT_GIVEN:
        return DEFAULT_TIMEOUT if session_timeout == SESSION_DEFAULT else session_timeout
    if isinstance(timeout, ClientTimeout):
        check_bounds(timeout, (timeout.total, timeout.connect, timeout.sock_connect, timeout.sock_read))
        return timeout
    if timeout is None or is_seconds(timeout):
        return ClientTimeout(connect=timeout, sock_connect=timeout, sock_read=timeout)
    raise InvalidArgumentError(f"timeout must be seconds above 0, None or an aiohttp.ClientTimeout, not {timeout!r}")


def steps_of(timeouts: ClientTimeout) -> ClientTimeout:
    """The bounds on the steps, without that on the whole.

    An infinite one is none, as it is for httpx; aiohttp cannot reckon with it.
    """
    return ClientTimeout(
        connect=_finite(timeouts.connect),
        sock_connect=_finite(timeouts.sock_connect),
        sock_read=_finite(timeouts.sock_read),
        ceil_threshold=timeouts.ceil_threshold,
    )


def _finite(seconds: float | None) -> float | None:
    return None if seconds == math.inf else seconds
