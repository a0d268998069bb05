"""The fixture `replay`: a client that plays captures, or records those that are missing.

The marker names the adapter of the client. A transport plays captures to the clients of httpx; a server on the loopback
interface plays them to all others.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import attrs
import httpx2
import pytest

import streamcore.httpx
from streamcore._extras import NotInstalledError
from streamcore.errors import StreamCoreError, excerpt
from streamcore.replay import Capture, End, Recorder, Replay, read_captures, write_captures
from streamcore.replay.httpx2 import AsyncRecordingTransport, AsyncReplayTransport, RecordingTransport, ReplayTransport
from streamcore.replay.recording.clients import recorded
from streamcore.testing.plugin import ADAPTERS, CLIENT

_NO_KEY = "none"  # clients require a key, captures do not
_SHOWN_SIZE = 500


class Playing:
    """Methods that the client of the fixture has in addition to those of its class.

    The client does not retry, so that each request takes one capture; `with_options(max_retries=)` changes that.
    """

    _captures: ClassVar[Replay | Recorder]

    def transport(self) -> Any:
        """Return a transport for another sync client, so that both take their answers from the same captures in turn.

        For the official client: `anthropic.Anthropic(http_client=httpx2.Client(transport=replay.transport()))`.
        """
        captures = self._captures
        return ReplayTransport(captures) if isinstance(captures, Replay) else RecordingTransport(captures)

    def async_transport(self) -> Any:
        """Return a transport for another async client."""
        captures = self._captures
        return AsyncReplayTransport(captures) if isinstance(captures, Replay) else AsyncRecordingTransport(captures)


def playing(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Provide the fixture. A mistake in the marker or the captures fails the test before it starts."""
    with contextlib.ExitStack() as stack:
        with _failing():
            client = stack.enter_context(_client(request))
        request.node.stash[CLIENT] = client
        yield client
        with _failing():
            stack.close()


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Turn our own errors into a failure of the test, without a traceback."""
    try:
        yield
    except (StreamCoreError, NotInstalledError) as error:
        # Not `pytest.fail()`: without `from None`, pytest would print the text once for each of the two exceptions.
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _client(request: pytest.FixtureRequest) -> AbstractContextManager[Any]:
    marker = _Marker.of(request)
    absent = [path for path in marker.paths if not _exists(path)]
    if not absent:
        return _replaying(marker)
    if request.config.getoption("--record-streams"):
        return _recording(marker, absent, request.config.getoption("--record-streams-from"))
    raise StreamCoreError(_how_to_record(absent, request.node.nodeid))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise StreamCoreError(f"the capture {path} cannot be read: {error.strerror}") from error


def _how_to_record(absent: list[Path], test: str) -> str:
    names = ", ".join(map(str, absent))
    return f"the capture {names} does not exist; to record it: pytest --record-streams '{test}'"


_OPTIONS = [name for name in inspect.signature(Replay).parameters if name != "source"]


@attrs.frozen
class _Marker:
    """The marker of a test.

    Attributes:
        paths: The paths of the captures.
        cls: The class of the client.
        replay: The captures, ready to play.
    """

    paths: list[Path]
    cls: type[Any]
    replay: Replay

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> _Marker:
        """Return the marker of the test that asks for the fixture. Everything in it is checked here.

        Raises:
            StreamCoreError: The test has no marker, or something in it is invalid.
            NotInstalledError: The library of the adapter is not installed.
        """
        marker = request.node.get_closest_marker("replay")
        if marker is None or not marker.args:
            raise StreamCoreError("the fixture `replay` has nothing to play: @pytest.mark.replay('weather.jsonl')")
        for path in marker.args:
            if not isinstance(path, (str, Path)):
                raise StreamCoreError(f"a path of the marker `replay` must be a text or a Path, not {path!r}")
        options = dict(marker.kwargs)
        adapter = options.pop("adapter", "httpx")
        if adapter not in list(ADAPTERS):
            raise StreamCoreError(
                f"the adapter {adapter!r} of the marker `replay` must be one of {', '.join(ADAPTERS)}"
            )
        for name in options:
            if name not in _OPTIONS:
                raise StreamCoreError(
                    f"the marker `replay` has no option {name!r}; it has adapter, {', '.join(_OPTIONS)}"
                )
        paths = [request.path.parent / path for path in marker.args]
        module, name = ADAPTERS[adapter]
        return cls(paths, getattr(importlib.import_module(module), name), Replay(paths, **options))

    def client(self, captures: Replay | Recorder, **options: Any) -> Any:
        """Make a client that has the methods of `Playing` too."""
        playing_class: Any = type(f"Playing{self.cls.__name__}", (Playing, self.cls), {"_captures": captures})
        return playing_class(max_retries=0, **options)


@contextlib.contextmanager
def _replaying(marker: _Marker) -> Iterator[Any]:
    replay = marker.replay
    transport = _TRANSPORTS.get(marker.cls)
    if transport is not None:
        yield marker.client(replay, api_key=_NO_KEY, http_client=transport(replay))
        return
    from streamcore.replay.server import Endpoint
    from streamcore.replay.server.listening import in_thread, listening

    with in_thread(listening(Endpoint(replay))) as url:
        yield marker.client(replay, api_key=_NO_KEY, base_url=url)


_TRANSPORTS: dict[type[Any], Callable[[Replay], Any]] = {
    streamcore.httpx.Anthropic: lambda replay: httpx2.Client(transport=ReplayTransport(replay)),
    streamcore.httpx.AsyncAnthropic: lambda replay: httpx2.AsyncClient(transport=AsyncReplayTransport(replay)),
}


def check_played(client: object) -> None:
    """Fail the test if its captures could not be played.

    The test may have mistaken that for the error that it expects: clients wrap what a transport raises, and over HTTP
    the failure is only a status.
    """
    captures = client._captures if isinstance(client, Playing) else None
    if isinstance(captures, Replay) and captures.error is not None:
        pytest.fail(f"the marker `replay` could not be played: {captures.error}", pytrace=False)


# Recording


@contextlib.contextmanager
def _recording(marker: _Marker, absent: list[Path], url: str | None) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        if url is not None:
            # An environment variable, for clients that the test makes itself.
            stack.enter_context(pytest.MonkeyPatch.context()).setenv("ANTHROPIC_BASE_URL", url)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="streamcore-"))
        everything = Path(folder, "recorded.jsonl")
        recorder = Recorder(everything)
        client = recorded(marker.client(recorder), recorder)
        yield client
        recorder.close()
        _keep(everything, marker.paths, absent)


def _keep(recording: Path, paths: list[Path], absent: list[Path]) -> None:
    """Write the recording to the paths of the marker: everything to one file, or one exchange to each of several.

    Raises:
        StreamCoreError: Nothing was recorded, or the last answer is an error.
    """
    names = ", ".join(map(str, absent))
    if not recording.exists():
        raise StreamCoreError(f"{names} was not recorded: the test has sent no request")
    captures = list(read_captures(recording))
    fault = _fault_of(captures[-1])  # earlier requests may have failed and been tried again
    if fault is not None:
        raise StreamCoreError(f"{names} was not recorded: {fault}")
    if len(paths) == 1:
        parts = [captures]
    elif len(paths) == len(captures):
        parts = [[capture] for capture in captures]
    else:
        raise StreamCoreError(
            f"{names} was not recorded: of several files each holds the answer to one request; the marker has "
            f"{len(paths)} files, the test has sent {len(captures)} requests"
        )
    for path, part in zip(paths, parts, strict=True):
        if path in absent:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_captures(path, part, redaction=None)


def _fault_of(capture: Capture) -> str | None:
    if capture.status >= 400:
        return f"the endpoint has answered with status {capture.status}: {excerpt(capture.data, _SHOWN_SIZE)}"
    end = list(capture.body)[-1]
    if isinstance(end, End) and end.reason == "broken":
        return f"the connection has failed: {end.message}"
    return None
