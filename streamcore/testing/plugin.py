"""The pytest plugin: a marker and a fixture that play captures, `--record-streams`, and readable differences.

```python
@pytest.mark.replay("captures/weather.jsonl")
def test_forecast(replay):
    with replay.messages.stream(model="...", max_tokens=1024, messages=[...]) as stream:
        assert stream.get_final_text() == "..."
```

pytest imports this module wherever streamcore is installed. So the module imports the core, and the packages of the
extra `testing`, only when it is used. Without that extra, the fixture fails and names the missing package.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

__all__ = [
    "ADAPTERS",
    "CLIENT",
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_configure",
    "pytest_runtest_call",
    "replay",
]

CLIENT = pytest.StashKey[Any]()
"""Where an item has what the fixture has provided for it."""

ADAPTERS = {
    "httpx": ("streamcore.httpx", "Anthropic"),
    "httpx-async": ("streamcore.httpx", "AsyncAnthropic"),
    "aiohttp": ("streamcore.aiohttp", "AsyncAnthropic"),
}
"""The clients that the fixture can provide, each as a module and a class. A new client is tested by its row."""

_MARKER = (
    "replay(*paths, adapter='httpx', speed=math.inf, chunking='recorded', faults=(), choose=None, repeat=False): the "
    f"captures that the fixture `replay` plays. A path is relative to the test's file. The adapter is one of "
    f"{', '.join(map(repr, ADAPTERS))}; the other options are those of streamcore.replay.Replay. Faults may be texts, "
    "as on the command line: faults=['cut:event=9']."
)
# Packages of the extra `testing`, besides pytest.
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
        help="Record the missing captures of tests with the marker `replay`, from the real endpoint.",
    )
    group.addoption(
        "--record-streams-from",
        metavar="URL",
        help="The URL of the real endpoint; by default ANTHROPIC_BASE_URL, or the API's own.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Provide a client that plays the captures of the marker `replay`.

    See `streamcore.testing.replay_fixture.Playing` for its additional methods.
    """
    missing = _missing()
    if missing:
        pytest.fail(f"{missing[0]} is not installed: pip install 'streamcore-messages[testing]'", pytrace=False)
    from streamcore.testing.replay_fixture import playing

    yield from playing(request)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that has passed although its captures could not be played."""
    result = yield
    # Not `item.funcargs`: a test may have got the fixture by `getfixturevalue()`, and those of unittest have none.
    client = item.stash.get(CLIENT, None)
    if client is not None:
        from streamcore.testing.replay_fixture import check_played

        check_played(client)
    return result


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say where two messages, two lists of events or two event streams differ."""
    if op != "==" or _missing():
        return None
    from streamcore.testing._streams import explain

    return explain(left, right)
