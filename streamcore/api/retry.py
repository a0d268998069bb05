"""Decide whether a failed attempt is made again, and how long to wait before it.

These are pure functions: the time and the random number are arguments. They are for attempts that delivered nothing.
Once an answer with status 2xx has begun, its events belong to the caller, and a retry would repeat them.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping

__all__ = ["backoff", "retry_after", "retry_delay", "should_retry"]

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0
_LONGEST_RETRY_AFTER = 60.0

# Request timeout, lock timeout, rate limit. Everything from 500 on is retried too.
_RETRIED_STATUSES = frozenset({408, 409, 429})


def should_retry(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether an answer with this status is worth another attempt.

    The server's `x-should-retry` header decides if it is present. `headers` must find names in lower case.
    """
    said = headers.get("x-should-retry")
    if said in ("true", "false"):
        return said == "true"
    return status in _RETRIED_STATUSES or status >= 500


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return how many seconds the server asks to wait, or None if our own back-off should decide.

    Our own back-off decides if the server does not say, names a time that has passed, or asks for more than a minute: a
    program should not hang for as long as a server likes. `retry-after-ms` (milliseconds) is preferred, as it is finer
    than `retry-after`, which has seconds or a date (RFC 9110, section 10.2.3).

    Args:
        headers: The headers of the answer.
        now: Seconds since the epoch.
    """
    seconds = _number(headers.get("retry-after-ms"))
    if seconds is not None:
        seconds /= 1000
    else:
        said = headers.get("retry-after")
        seconds = _number(said)
        if seconds is None and said is not None:
            seconds = _date(said, now)
    # A NaN is in no range.
    return seconds if seconds is not None and 0 < seconds <= _LONGEST_RETRY_AFTER else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _date(text: str, now: float) -> float | None:
    date = email.utils.parsedate_tz(text)
    try:
        return email.utils.mktime_tz(date) - now if date is not None else None
    except (ValueError, OverflowError):  # the 31st of a shorter month, or a year beyond the platform's range
        return None


def backoff(retries_taken: int, *, random: float) -> float:
    """Return the seconds to wait if the server does not say: 0.5, doubled each time up to 8.

    Up to a quarter is taken off at random, so that clients which failed together do not come back together.

    Args:
        retries_taken: How many retries were made before.
        random: A random number from 0 to 1.
    """
    delay = min(_FIRST_DELAY * 2.0 ** min(retries_taken, 64), _LONGEST_DELAY)
    return delay * (1 - 0.25 * random)


def retry_delay(
    retries_taken: int,
    *,
    max_retries: int,
    status: int | None,
    headers: Mapping[str, str],
    random: float,
    now: float,
) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there should not be one.

    Args:
        retries_taken: How many retries were made before.
        max_retries: How many retries are allowed.
        status: The status of the answer, None without an answer.
        headers: The headers of the answer.
        random: A random number from 0 to 1.
        now: Seconds since the epoch.
    """
    if retries_taken >= max_retries or (status is not None and not should_retry(status, headers)):
        return None
    asked = retry_after(headers, now=now)
    return asked if asked is not None else backoff(retries_taken, random=random)
