"""Whether a failed attempt is made again, and how long to wait before.

Pure functions: the clock and the random number come in as arguments. Only attempts of which nothing was delivered are
asked about: once an answer of status 2xx is there, its events belong to the caller and a repetition would repeat them.
"""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping

__all__ = ["backoff", "retry_after", "retry_delay", "should_retry"]

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0
# `time.sleep` refuses more than 2**32 milliseconds on some platforms.
_LONGEST_SLEEP = 4_294_967.0

# Request timeout, lock timeout, rate limit. Everything from 500 on is retried too.
_RETRIED_STATUSES = frozenset({408, 409, 429})


def should_retry(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer with this status is worth another attempt. The server's `x-should-retry` decides, if it is
    there. `headers` must find names written in lower case.
    """
    said = headers.get("x-should-retry")
    if said in ("true", "false"):
        return said == "true"
    return status in _RETRIED_STATUSES or status >= 500


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """How many seconds the server asks to wait, `None` if it does not say, or says a time that has passed.

    Read are `retry-after-ms` (milliseconds), which is finer, and `retry-after`: seconds or a date (RFC 9110, section
    10.2.3).

    Args:
        headers: Of the answer.
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
    return seconds if seconds is not None and seconds > 0 else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _date(text: str, now: float) -> float | None:
    date = email.utils.parsedate_tz(text)
    try:
        return email.utils.mktime_tz(date) - now if date is not None else None
    except (ValueError, OverflowError):  # the 31st of a month without one, or a year beyond the platform's
        return None


def backoff(retries_taken: int, *, random: float) -> float:
    """Seconds to wait where the server does not say: 0.5, doubled each time up to 8, less up to a quarter at random, so
    that clients which failed together do not come back together.

    Args:
        retries_taken: How many retries have been made before.
        random: From 0 to 1.
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
    """Seconds to wait before the next attempt, or `None` if there shall be none.

    Args:
        retries_taken: How many retries have been made before.
        max_retries: How many may be made.
        status: Of the answer, `None` if there was none.
        headers: Of the answer.
        random: From 0 to 1.
        now: Seconds since the epoch.
    """
    if retries_taken >= max_retries or (status is not None and not should_retry(status, headers)):
        return None
    asked = retry_after(headers, now=now)
    return min(asked, _LONGEST_SLEEP) if asked is not None else backoff(retries_taken, random=random)
