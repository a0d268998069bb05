"""Whether to try again, and after how long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.api.retry import backoff, retry_after, retry_delay, should_retry

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, 599])
def test_these_statuses_are_retried_unless_the_server_says_no(status: int) -> None:
    assert should_retry(status, {})
    assert not should_retry(status, {"x-should-retry": "false"})


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 413, 418, 422, 499])
def test_these_are_not_unless_the_server_says_yes(status: int) -> None:
    assert not should_retry(status, {})
    assert should_retry(status, {"x-should-retry": "true"})
    assert not should_retry(status, {"x-should-retry": "maybe"})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": " 3 "}, 3),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "120"}, 0.12),
        ({"retry-after-ms": "120", "retry-after": "9"}, 0.12),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:25 GMT"}, 5),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:25 +0100"}, 5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:19 GMT"}, None),
        ({"retry-after": "Tue, 99 Nov 99999999999 22:13:19 GMT"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "60"}, 60),
        ({"retry-after": "60.01"}, None),
        ({"retry-after": "99999999"}, None),
        ({"retry-after-ms": "60000"}, 60),
        ({"retry-after-ms": "60001"}, None),
        ({"retry-after-ms": "99999999999", "retry-after": "5"}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:21 GMT"}, None),
        ({"retry-after": "Tue, 14 Nov 2090 22:14:21 GMT"}, None),
        ({"retry-after": "tomorrow"}, None),
    ],
)
def test_forms_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == seconds


@given(st.text())
def test_no_retry_after_header_raises(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        seconds = retry_after({name: text}, now=NOW)
        assert seconds is None or seconds > 0


def test_the_backoff_doubles_up_to_eight_seconds() -> None:
    assert [backoff(taken, random=0.0) for taken in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert backoff(10**9, random=0.0) == 8


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_the_jitter_takes_off_up_to_a_quarter(taken: int, random: float) -> None:
    full = backoff(taken, random=0.0)
    assert 0.75 * full <= backoff(taken, random=random) <= full


@pytest.mark.parametrize(
    ("taken", "fields", "delay"),
    [
        (0, {"status": 429}, 0.5),
        (1, {"status": 429}, 1.0),
        (2, {"status": 429}, None),
        (0, {"status": 429, "headers": {"retry-after": "7"}}, 7),
        (2, {"status": 429, "headers": {"retry-after": "7"}}, None),
        (0, {"status": 400, "headers": {"retry-after": "7"}}, None),
        (0, {"status": None}, 0.5),
        (2, {"status": None}, None),
        (0, {"status": 503, "headers": {"retry-after": "1e300"}}, 0.5),
        (1, {"status": 503, "headers": {"retry-after-ms": "1e300"}}, 1.0),
        (1, {"status": 429, "headers": {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}}, 1.0),
    ],
)
def test_delays(taken: int, fields: dict[str, Any], delay: float | None) -> None:
    assert retry_delay(taken, **{"max_retries": 2, "headers": {}, "random": 0.0, "now": NOW, **fields}) == delay
