"""The pytest plugin: a marker and a fixture that play captures, `--record-streams`, and readable differences.

```python
@pytest.mark.replay("captures/weather.jsonl")
def test_forecast(replay):
    with replay.messages.stream(model="...", max_tokens=1024, messages=[...]) as stream:
        assert stream.get_final_text() == "..."
```

pytest imports this module wherever streamcore is installed, so it imports only the core, and nothing that the extra
`testing` adds until it is used. If that extra is not installed, the marker and the fixture exist and say so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

__all__ = ["pytest_addoption", "pytest_assertrepr_compare", "pytest_configure", "replay"]

_MARKER = (
    "replay(*paths, adapter='httpx', speed=math.inf, chunking='recorded', faults=(), choose=None, repeat=False): the "
    "captures that the fixture `replay` plays. A path is relative to the test's file. The adapter is 'httpx', "
    "'httpx-async' or 'aiohttp'; the other options are those of streamcore.replay.Replay."
)
# Of the extra `testing`, beside pytest.
_NEEDED = ("httpx2", "hypothesis")


def _missing() -> list[str]:
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    if _missing():
        return
    group = parser.getgroup("streamcore", "captures of Messages streams")
    group.addoption(
        "--record-streams",
        action="store_true",
        help="Make the captures that tests with the marker `replay` are missing, from the real endpoint.",
    )
    group.addoption(
        "--record-streams-from",
        metavar="URL",
        help="The real endpoint; by default that of ANTHROPIC_BASE_URL, or else the API's own.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client that plays the captures of the marker `replay`; see `streamcore.testing.playing.Playing` for what it
    has beside what a client has.
    """
    missing = _missing()
    if missing:
        pytest.fail(f"{missing[0]} is not installed: pip install 'streamcore-messages[testing]'", pytrace=False)
    from streamcore.testing.playing import playing

    yield from playing(request)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say where two messages, two lists of events or two event streams differ."""
    if op != "==" or _missing():
        return None
    from streamcore.testing._streams import explain

    return explain(left, right)
