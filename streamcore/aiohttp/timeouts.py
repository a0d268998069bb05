"""Choose the timeouts of a request: those of the call, of the client, or of a session that was passed."""

from __future__ import annotations

import math
import reprlib
from typing import Any

from aiohttp import ClientTimeout
from aiohttp.client import DEFAULT_TIMEOUT as SESSION_DEFAULT

from streamcore.api.client import DEFAULT_CONNECT_TIMEOUT, check_bounds, is_seconds
from streamcore.api.client import DEFAULT_TIMEOUT as DEFAULT_SECONDS
from streamcore.api.options import given
from streamcore.errors import InvalidArgumentError

__all__ = ["DEFAULT_TIMEOUT", "steps_of", "timeouts_of"]

DEFAULT_TIMEOUT = ClientTimeout(
    connect=DEFAULT_SECONDS, sock_connect=DEFAULT_CONNECT_TIMEOUT, sock_read=DEFAULT_SECONDS
)


def timeouts_of(timeout: Any, session_timeout: ClientTimeout) -> ClientTimeout:
    """Return the timeouts of one request.

    Seconds limit each step and not the whole: a stream may last much longer than its silences. To limit the whole, pass
    a `ClientTimeout(total=...)`.

    Args:
        timeout: Seconds, `None`, a `ClientTimeout`, or `NOT_GIVEN`.
        session_timeout: The session's timeout. It counts unless it is aiohttp's default of five minutes for the whole
            answer, which is too short for a model.

    Raises:
        InvalidArgumentError: `timeout` is something else.
    """
    if not given(timeout):
        return DEFAULT_TIMEOUT if session_timeout == SESSION_DEFAULT else session_timeout
    if isinstance(timeout, ClientTimeout):
        check_bounds(timeout, (timeout.total, timeout.connect, timeout.sock_connect, timeout.sock_read))
        return timeout
    if timeout is None or is_seconds(timeout):
        return ClientTimeout(connect=timeout, sock_connect=timeout, sock_read=timeout)
    raise InvalidArgumentError(
        f"timeout must be seconds above 0, None or an aiohttp.ClientTimeout, not {reprlib.repr(timeout)}"
    )


def steps_of(timeouts: ClientTimeout) -> ClientTimeout:
    """Return the limits of the steps, without that of the whole.

    An infinite limit becomes None, as in httpx; aiohttp does not accept it.
    """
    return ClientTimeout(
        connect=_finite(timeouts.connect),
        sock_connect=_finite(timeouts.sock_connect),
        sock_read=_finite(timeouts.sock_read),
        ceil_threshold=timeouts.ceil_threshold,
    )


def _finite(seconds: float | None) -> float | None:
    return None if seconds == math.inf else seconds
