"""Log what happens to calls: retries and failures at the level info, each request and answer at the level debug.

The logger is `streamcore.api.logs`, below `streamcore`. `STREAMCORE_LOG=info` or `debug` in the environment turns it
on. Keys, headers, bodies and texts of errors are never logged, as they may repeat what a user or the model wrote.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from streamcore.api.client import Call
from streamcore.errors import APIError, APIStatusError

__all__ = ["log_answer", "log_failure", "log_request", "log_retry", "set_up_logging"]

_log = logging.getLogger(__name__)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


def set_up_logging() -> None:
    """Log to stderr if `STREAMCORE_LOG` is `debug` or `info`. A program's own configuration of logging is kept."""
    level = _LEVELS.get(os.environ.get("STREAMCORE_LOG", "").lower())
    if level is not None:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("streamcore").setLevel(level)


def log_request(call: Call) -> None:
    """Log a request that is about to be sent."""
    if _log.isEnabledFor(logging.DEBUG):
        request = call.request
        _log.debug("sending %s %s with %d bytes", request.method, _place(call), len(request.body))


def log_answer(call: Call, status: int, headers: Mapping[str, str]) -> None:
    """Log the head of an answer."""
    if _log.isEnabledFor(logging.DEBUG):
        kind, request_id = headers.get("content-type"), headers.get("request-id")
        _log.debug("%s answered with %d, %s, request id %s", _place(call), status, kind, request_id)


def log_retry(call: Call, error: APIError, *, retries_taken: int, delay: float) -> None:
    """Log that a call is made again after an error, and after how many seconds."""
    if _log.isEnabledFor(logging.INFO):
        wait = f"retry {retries_taken} of {call.max_retries} in {delay:.2f} seconds"
        _log.info("%s failed with %s: %s", _place(call), _description(error), wait)


def log_failure(call: Call, error: APIError) -> None:
    """Log that a call has failed for good."""
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s failed with %s", _place(call), _description(error))


def _place(call: Call) -> str:
    """Return host and path. User, password and query of a URL may be secret."""
    parts = urlsplit(call.request.url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def _description(error: APIError) -> str:
    name = type(error).__name__
    if isinstance(error, APIStatusError):
        return f"{name} (status {error.status_code}, request id {error.request_id})"
    return f"{name} ({type(error.__cause__).__name__})" if error.__cause__ is not None else name
