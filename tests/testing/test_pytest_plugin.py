"""The pytest plugin, in test runs of its own: what tests see, and what a run says when they fail."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import anthropic  # noqa: F401  # see below
import httpcore2  # noqa: F401
import pytest
from helpers import HELLO, PING, block_start, block_stop, body, by_frame, message_delta, start, text
from server import Cut, error_reply, serving, stream_reply

# What a test run imports, it forgets when it is over: what can be imported only once has to be there before.
import streamcore.aiohttp
import streamcore.replay.server
import streamcore.testing.replay_fixture
from streamcore.replay import open_capture, read_captures
from streamcore.testing.plugin import ADAPTERS

pytest_plugins = ["pytester"]

WEATHER = (Path(__file__).parents[2] / "fixtures" / "weather.sse").read_bytes()
GUIDE = Path(streamcore.testing.__file__).parent / "README.md"
HELLO_BYTES = body(*HELLO)
OTHER = body(start(), PING, block_start(0), text(0, "Hel"), text(0, "la"), block_stop(0), message_delta(), HELLO[-1])
ASK = 'ASK = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}\n'


@pytest.fixture(autouse=True)
def _apart(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runs without the key and the endpoint of whoever runs these."""
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-key")
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers -p no:cacheprovider\n")


def run(pytester: pytest.Pytester, test: str, *arguments: str, **captures: bytes) -> pytest.RunResult:
    """Run a test in a folder with these captures: `weather=...` is `captures/weather.sse`."""
    folder = pytester.path / "captures"
    folder.mkdir(exist_ok=True)
    for name, data in captures.items():
        (folder / f"{name}.sse").write_bytes(data)
    pytester.makepyfile(test_it=f"import pytest\n{ASK}\n{test}")
    return pytester.runpytest_inprocess(*arguments)


def test_the_guide_names_each_adapter() -> None:
    listed = re.search(r"The marker takes `adapter=` \(([^)]*)\)", GUIDE.read_text(encoding="utf-8"))
    assert listed is not None
    assert re.findall(r'"([\w-]+)"', listed[1]) == list(ADAPTERS)


def test_the_fixture_is_a_client_that_plays_the_file(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import streamcore.httpx

@pytest.mark.replay("captures/weather.sse")
def test(replay):
    assert isinstance(replay, streamcore.httpx.Anthropic)
    with replay.messages.stream(**ASK) as stream:
        assert stream.get_final_message().id == "msg_weather"
""",
        weather=WEATHER,
    )
    result.assert_outcomes(passed=1)


def test_the_other_adapters_on_request(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import asyncio, streamcore.aiohttp, streamcore.httpx

async def read(client):
    async with client.messages.stream(**ASK) as stream:
        return (await stream.get_final_message()).id

@pytest.mark.replay("captures/weather.sse", adapter="aiohttp")
def test_aiohttp(replay):
    assert isinstance(replay, streamcore.aiohttp.AsyncAnthropic)
    assert asyncio.run(read(replay)) == "msg_weather"

@pytest.mark.replay("captures/weather.sse", adapter="httpx-async")
def test_httpx(replay):
    assert isinstance(replay, streamcore.httpx.AsyncAnthropic)
    assert asyncio.run(read(replay)) == "msg_weather"
""",
        weather=WEATHER,
    )
    result.assert_outcomes(passed=2)


def test_the_official_clients_play_it_by_a_transport_in_one_order_with_ours(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import anthropic, asyncio, httpx2

@pytest.mark.replay("captures/weather.sse", "captures/hello.sse", "captures/weather.sse")
def test(replay):
    theirs = anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=replay.transport()))
    with theirs.messages.stream(**ASK) as stream:
        assert stream.get_final_message().id == "msg_weather"
    with replay.messages.stream(**ASK) as stream:
        assert stream.get_final_message().id == "msg_1"

    async def read():
        http_client = httpx2.AsyncClient(transport=replay.async_transport())
        async with anthropic.AsyncAnthropic(api_key="k", http_client=http_client) as client:
            async with client.messages.stream(**ASK) as stream:
                return (await stream.get_final_message()).id

    assert asyncio.run(read()) == "msg_weather"
""",
        weather=WEATHER,
        hello=HELLO_BYTES,
    )
    result.assert_outcomes(passed=1)


def test_the_marker_says_how_it_is_played(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import streamcore.httpx
from streamcore.replay.faults import Cut, Status

@pytest.mark.replay("captures/weather.sse", faults=[Cut(event=5, broken=True)], chunking=3)
def test_cut(replay):
    with replay.messages.stream(**ASK) as stream, pytest.raises(streamcore.httpx.APIConnectionError) as caught:
        stream.until_done()
    assert caught.value.snapshot.id == "msg_weather"

@pytest.mark.replay("captures/weather.sse", faults=[Status(code=529)])
def test_status(replay):
    with pytest.raises(streamcore.httpx.OverloadedError):
        replay.messages.create(**ASK)

@pytest.mark.replay("captures/hello.sse", repeat=True)
def test_again(replay):
    for _ in range(3):
        with replay.messages.stream(**ASK) as stream:
            assert stream.get_final_text() == "Hello"
""",
        weather=WEATHER,
        hello=HELLO_BYTES,
    )
    result.assert_outcomes(passed=3)


def test_faults_and_chunkings_may_be_texts_as_on_the_command_line(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import streamcore.httpx

@pytest.mark.replay("captures/weather.sse", faults=["comments", "cut:event=9"], chunking="random:seed=3,largest=9")
def test_cut(replay):
    with replay.messages.stream(**ASK) as stream, pytest.raises(streamcore.httpx.IncompleteStreamError) as caught:
        stream.until_done()
    assert caught.value.event_number == 9

@pytest.mark.replay("captures/weather.sse", faults=["status:code=529"])
def test_status(replay):
    with pytest.raises(streamcore.httpx.OverloadedError):
        replay.messages.create(**ASK)
""",
        weather=WEATHER,
    )
    result.assert_outcomes(passed=2)


BROKEN_MARKERS = {
    "faults=['cut:event=900']": "the fault at event 900 has no place: the stream has 59 events",
    "faults=[lambda capture: 1 / 0]": "a fault or `choose` has failed: ZeroDivisionError: division by zero",
    "faults=[lambda capture: None]": "the fault <function * must return a Capture, not 'None'",
    "choose=lambda request, captures: captures[9]": "a fault or `choose` has failed: IndexError: *",
    "choose=lambda request, captures: None": "* none of the captures was chosen, 1 in number*",
}


# The program of a test that reads a stream with a client of any adapter.
READ = """
import asyncio

def read(client):
    stream = client.messages.stream(**ASK)
    if hasattr(stream, "__enter__"):
        with stream as opened:
            return opened.get_final_text()

    async def main():
        async with client, stream as opened:
            return await opened.get_final_text()

    return asyncio.run(main())
"""


@pytest.mark.parametrize("adapter", [*ADAPTERS, "official"])
def test_a_test_of_errors_does_not_pass_for_what_is_wrong_with_its_marker(
    pytester: pytest.Pytester, adapter: str
) -> None:
    tests = "".join(
        f"""
@pytest.mark.replay("captures/weather.sse", adapter={adapter.replace("official", "httpx")!r}, {marker})
def test_{number}(replay):
    with contextlib.suppress(Exception):  # as careless as a test of errors can be
        read(replay)
"""
        for number, marker in enumerate(BROKEN_MARKERS)
    )
    of_official = (
        "def read(client):\n    with httpx2.Client(transport=client.transport()) as http_client:\n"
        "        official = anthropic.Anthropic(api_key='k', http_client=http_client, max_retries=0)\n"
        "        official.messages.stream(**ASK).__enter__().until_done()\n"
    )
    read = of_official if adapter == "official" else READ
    result = run(pytester, f"import anthropic, contextlib, httpx2\n{read}{tests}", weather=WEATHER)
    result.assert_outcomes(failed=len(BROKEN_MARKERS))
    for said in BROKEN_MARKERS.values():
        result.stdout.fnmatch_lines([f"the marker `replay` could not be played: {said}".replace("[", "[[]")])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_is_wrong_with_a_marker_is_not_an_error_of_the_api(pytester: pytest.Pytester, adapter: str) -> None:
    test = f"""
import streamcore.httpx
{READ}

@pytest.mark.replay("captures/weather.sse", adapter={adapter!r}, faults=["cut:event=900"])
def test(replay):
    with pytest.raises(streamcore.httpx.APIError):
        read(replay)
"""
    run(pytester, test, weather=WEATHER).assert_outcomes(failed=1)


def test_a_request_too_many_says_what_was_played(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.replay("captures/hello.sse")
def test(replay):
    replay.messages.stream(**ASK).__enter__().get_final_text()
    replay.messages.stream(**ASK).__enter__()
""",
        hello=HELLO_BYTES,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*NoCaptureError*all captures have been played, 1 in number*captures/hello.sse*"])


def test_a_path_is_relative_to_the_file_of_the_test(pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("inner")
    (folder / "hello.sse").write_bytes(HELLO_BYTES)
    (folder / "test_inner.py").write_text(
        f"import pytest\n{ASK}\n@pytest.mark.replay('hello.sse')\ndef test(replay):\n"
        "    assert replay.messages.stream(**ASK).__enter__().get_final_text() == 'Hello'\n"
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("@pytest.mark.replay('captures/none.sse')", "*the capture *captures/none.sse does not exist; to record it: "),
        ("", "the fixture `replay` has nothing to play: @pytest.mark.replay('weather.jsonl')"),
        ("@pytest.mark.replay()", "the fixture `replay` has nothing to play"),
        (
            "@pytest.mark.replay('captures/hello.sse', adapter='curl')",
            "the adapter 'curl' of the marker * must be one of ",
        ),
        ("@pytest.mark.replay('captures/hello.sse', adapter=['httpx'])", "the adapter *'httpx'* must be one of "),
        (
            "@pytest.mark.replay('captures/hello.sse', pace=1)",
            "the marker `replay` has no option 'pace'; it has adapter",
        ),
        ("@pytest.mark.replay(7)", "a path of the marker `replay` must be a text or a Path, not 7"),
        (
            "@pytest.mark.replay('captures/hello.sse', faults=['cuts'])",
            "'cuts' is not a fault; it must be one of cut, ",
        ),
        ("@pytest.mark.replay('captures/hello.sse', faults='cut')", "faults must be a list of faults, not 'cut'"),
        ("@pytest.mark.replay('captures/hello.sse', faults=[7])", "a fault must be a text, a value of *, not 7"),
        ("@pytest.mark.replay('captures/hello.sse', faults=7)", "faults must be a list of faults, not 7"),
        ("@pytest.mark.replay('captures/hello.sse', chunking='odd')", "'odd' is not a chunking; it must be "),
        ("@pytest.mark.replay('captures/hello.sse', chunking=True)", "chunking must be 'recorded', "),
        ("@pytest.mark.replay('captures/hello.sse', choose='hello')", "choose must be a function, not 'hello'"),
        ("@pytest.mark.replay('captures/hello.sse', speed='fast')", "speed must be a number above 0"),
        ("@pytest.mark.replay('captures/hello.sse', speed=-1)", "speed must be a number above 0"),
        ("@pytest.mark.replay('captures/hello.sse', speed=True)", "speed must be a number above 0"),
        ("@pytest.mark.replay('captures/hello.sse', repeat='no')", "repeat must be True or False, not 'no'"),
        (r"@pytest.mark.replay('captures/hello.sse', faults=['comments:text=a\nb'])", "text must be a text of one "),
    ],
)
def test_what_is_wrong_is_said_before_the_test_begins(pytester: pytest.Pytester, marker: str, said: str) -> None:
    result = run(pytester, f"{marker}\ndef test(replay):\n    pass\n", hello=HELLO_BYTES)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{said}*".replace("[", "[[]")])
    assert "playing.py" not in result.stdout.str()
    assert "During handling" not in result.stdout.str()


# Recording

RECORDED = """
import streamcore.httpx

@pytest.mark.replay("captures/new/hello.jsonl")
def test(replay):
    for _ in range(2):
        with replay.messages.stream(**ASK) as stream:
            assert stream.get_final_text() == "Hello"
"""


def test_a_missing_capture_says_how_to_record_it_and_that_works(pytester: pytest.Pytester) -> None:
    result = run(pytester, RECORDED)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*to record it: pytest --record-streams 'test_it.py::test'"])
    path = pytester.path / "captures" / "new" / "hello.jsonl"
    with serving(always=stream_reply(*by_frame(HELLO_BYTES))) as server:
        arguments = ("--record-streams", "--record-streams-from", server.url)
        run(pytester, RECORDED, *arguments).assert_outcomes(passed=1)
        assert len(server.requests) == 2
        assert server.requests[0].headers["authorization"] == "Bearer sk-ant-secret-key"
        assert "sk-ant-secret-key" not in path.read_text()
        # From here on it is played, also in a run that would record.
        written = path.read_bytes()
        run(pytester, RECORDED, *arguments).assert_outcomes(passed=1)
        assert len(server.requests) == 2
    run(pytester, RECORDED).assert_outcomes(passed=1)
    assert path.read_bytes() == written
    assert [capture.data for capture in read_captures(path)] == [HELLO_BYTES, HELLO_BYTES]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_each_adapter_records(pytester: pytest.Pytester, adapter: str) -> None:
    test = f"""{READ}
@pytest.mark.replay("captures/hello.sse", adapter={adapter!r})
def test(replay):
    assert read(replay) == "Hello"
"""
    with serving(stream_reply(HELLO_BYTES)) as server:
        run(pytester, test, "--record-streams", "--record-streams-from", server.url).assert_outcomes(passed=1)
    run(pytester, test).assert_outcomes(passed=1)
    assert open_capture(pytester.path / "captures" / "hello.sse").data == HELLO_BYTES


def test_the_official_client_is_recorded_by_its_transport(pytester: pytest.Pytester) -> None:
    test = """
import anthropic, httpx2

@pytest.mark.replay("captures/hello.jsonl")
def test(replay):
    with (
        httpx2.Client(transport=replay.transport()) as http_client,
        anthropic.Anthropic(api_key="k", http_client=http_client) as client,
        client.messages.stream(**ASK) as stream,
    ):
        assert stream.get_final_text() == "Hello"
"""
    with serving(stream_reply(HELLO_BYTES)) as server:
        run(pytester, test, "--record-streams", "--record-streams-from", server.url).assert_outcomes(passed=1)
    run(pytester, test).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (
            "    with pytest.raises(Exception):\n        replay.messages.create(**ASK)\n",
            "*answered with status 401*no key*",
        ),
        ("    pass\n", "*was not recorded: the test has sent no request"),
    ],
)
def test_what_is_no_example_is_not_kept(pytester: pytest.Pytester, test: str, said: str) -> None:
    test = f"@pytest.mark.replay('captures/a.jsonl')\ndef test(replay):\n{test}"
    with serving(always=error_reply(401, "authentication_error", "no key")) as server:
        result = run(pytester, test, "--record-streams", "--record-streams-from", server.url)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([said])
    assert not (pytester.path / "captures" / "a.jsonl").exists()


SEVERAL = """
@pytest.mark.replay("captures/a.jsonl", "captures/b.sse")
def test(replay):
    for _ in range({}):
        with replay.messages.stream(**ASK) as stream:
            stream.until_done()
"""


def test_several_missing_captures_are_an_exchange_each(pytester: pytest.Pytester) -> None:
    folder = pytester.path / "captures"
    result = run(pytester, SEVERAL.format(2))
    result.stdout.fnmatch_lines(
        ["*the capture *a.jsonl, *b.sse does not exist; to record it: pytest --record-streams *"]
    )
    with serving(stream_reply(HELLO_BYTES), stream_reply(WEATHER), always=stream_reply(OTHER)) as server:
        arguments = ("--record-streams", "--record-streams-from", server.url)
        run(pytester, SEVERAL.format(2), *arguments).assert_outcomes(passed=1)
        assert [open_capture(folder / name).data for name in ("a.jsonl", "b.sse")] == [HELLO_BYTES, WEATHER]
        # One that is there stays as it is.
        (folder / "a.jsonl").unlink()
        run(pytester, SEVERAL.format(2), *arguments).assert_outcomes(passed=1)
        assert [open_capture(folder / name).data for name in ("a.jsonl", "b.sse")] == [OTHER, WEATHER]
    run(pytester, SEVERAL.format(2)).assert_outcomes(passed=1)


def test_several_missing_captures_need_as_many_requests(pytester: pytest.Pytester) -> None:
    with serving(always=stream_reply(HELLO_BYTES)) as server:
        arguments = ("--record-streams", "--record-streams-from", server.url)
        result = run(pytester, SEVERAL.format(3), *arguments)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*b.sse was not recorded: *the marker has 2 files, the test has sent 3 requests"])
    assert not list((pytester.path / "captures").iterdir())


def test_an_answer_that_broke_is_not_kept(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.replay("captures/a.jsonl")
def test(replay):
    with replay.messages.stream(**ASK) as stream, pytest.raises(Exception):
        stream.until_done()
"""
    with serving(stream_reply(HELLO_BYTES[:200], Cut())) as server:
        result = run(pytester, test, "--record-streams", "--record-streams-from", server.url)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*a.jsonl was not recorded: the connection has failed: *"])
    assert not list((pytester.path / "captures").iterdir())


# Differences


def said(pytester: pytest.Pytester, left: bytes, right: bytes, comparison: str) -> list[str]:
    (pytester.path / "left.sse").write_bytes(left)
    (pytester.path / "right.sse").write_bytes(right)
    test = f"""
from pathlib import Path
from streamcore import MessageStream
from streamcore.testing import assert_same_stream
left, right = (Path(name).read_bytes() for name in ("left.sse", "right.sse"))

def test():
    {comparison}
"""
    result = run(pytester, test, "-vv")  # without it, pytest itself shows only the first lines
    result.assert_outcomes(failed=1)
    return [line.removeprefix("E").strip() for line in result.stdout.lines if line.startswith("E")]


@pytest.mark.parametrize(
    "comparison",
    [
        "assert_same_stream(left, right)",
        "assert left == right",
        "assert list(MessageStream([left])) == list(MessageStream([right]))",
    ],
)
def test_streams_that_differ_are_shown_event_by_event(pytester: pytest.Pytester, comparison: str) -> None:
    lines = said(pytester, HELLO_BYTES, OTHER, comparison)
    assert "the streams differ (7 events on the left, 8 on the right)" in "\n".join(lines)
    assert "right     1  ping" in lines
    assert "delta.text: 'lo' on the left, 'la' on the right" in lines
    assert "content[0].text: 'Hello' on the left, 'Hella' on the right" in lines


def test_messages_that_differ_are_shown_by_their_places(pytester: pytest.Pytester) -> None:
    get = "MessageStream([{}]).get_final_message()"
    lines = said(pytester, HELLO_BYTES, OTHER, f"assert {get.format('left')} == {get.format('right')}")
    assert "content[0].text: 'Hello' on the left, 'Hella' on the right" in lines
    assert len(lines) < 8
    lines = said(pytester, HELLO_BYTES, OTHER, f"assert {get.format('left')}.content == {get.format('right')}.content")
    assert "[0].text: 'Hello' on the left, 'Hella' on the right" in lines


def test_other_comparisons_are_left_to_pytest(pytester: pytest.Pytester) -> None:
    lines = said(pytester, b"", b"", "assert [1, 2] == [1, 3]")
    assert any("At index 1 diff" in line for line in lines)


@pytest.mark.parametrize("operator", ["is", "<"])
def test_comparisons_other_than_for_equality_are_left_to_pytest(pytester: pytest.Pytester, operator: str) -> None:
    lines = said(pytester, OTHER, HELLO_BYTES, f"assert left {operator} right")
    assert not any("the streams differ" in line for line in lines)


def test_the_example_of_the_readme_passes(pytester: pytest.Pytester) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(import pytest\n.*?)```", readme, re.DOTALL)
    pytester.mkdir("fixtures").joinpath("weather.sse").write_bytes(WEATHER)
    pytester.makepyfile(test_it=example)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


# How it is loaded


def test_it_is_an_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="streamcore")
    assert found.value == "streamcore.testing.plugin"


def test_the_marker_and_the_options_are_documented(pytester: pytest.Pytester) -> None:
    pytester.runpytest_inprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.replay(*): the captures that *"])
    pytester.runpytest_inprocess("--help").stdout.fnmatch_lines(["*--record-streams *", "*--record-streams-from*"])


def test_importing_it_imports_no_library() -> None:
    script = (
        "import sys, streamcore.testing.plugin, streamcore.testing\n"
        "print(*{'httpx', 'httpx2', 'aiohttp', 'hypothesis', 'yaml', 'rich', 'anyio'} & set(sys.modules))"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == ""


def test_an_adapter_that_is_not_installed_is_said_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "streamcore.replay.server.listening",
        "streamcore.replay.server.endpoint",
        "streamcore.replay.server",
        "streamcore.aiohttp",
    ):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    marker = "@pytest.mark.replay('captures/hello.sse', adapter='aiohttp')\n"
    result = run(pytester, f"{marker}def test(replay):\n    pass\n", hello=HELLO_BYTES)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["aiohttp is not installed*: pip install 'streamcore-messages[[]aiohttp]'"])


@pytest.mark.slow  # a process of its own for each
@pytest.mark.parametrize("package", ["httpx2", "hypothesis"])
def test_without_the_extra_it_only_says_what_to_install(pytester: pytest.Pytester, package: str) -> None:
    """In a process of its own, which cannot find one of the extra's packages."""
    pytester.makepyfile(
        without=f"""
import importlib.util

find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "{package}" else find(name, *rest)
"""
    )
    pytester.makepyfile(
        test_it="""
import pytest

@pytest.mark.replay("captures/hello.sse")
def test(replay):
    pass

def test_difference():
    assert b'data: {"type":"ping"}\\n\\n' == b'data:'
"""
    )
    result = pytester.runpytest_subprocess("-p", "without")
    result.assert_outcomes(errors=1, failed=1)
    result.stdout.fnmatch_lines([f"{package} is not installed: pip install 'streamcore-messages[[]testing]'"])
    assert "the streams differ" not in result.stdout.str()
    result = pytester.runpytest_subprocess("-p", "without", "--help")
    assert "--record-streams" not in result.stdout.str()


def test_a_marker_that_cannot_be_played_fails_the_test_however_it_got_the_fixture(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import contextlib, unittest

pytestmark = pytest.mark.replay("captures/weather.sse", faults=["cut:event=999"])

def read(client):
    with contextlib.suppress(Exception):
        client.messages.stream(**ASK).__enter__().until_done()

def test_by_name(request):
    read(request.getfixturevalue("replay"))

class TestInUnittest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _client(self, replay):
        self.client = replay

    def test_attribute(self):
        read(self.client)
""",
        weather=WEATHER,
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["the marker `replay` could not be played: the fault at event 999 has no place*"] * 2)


def test_a_path_that_no_system_has_is_refused_in_a_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, '@pytest.mark.replay("a" * 5000 + ".sse")\ndef test(replay): ...\n')
    result.assert_outcomes(errors=1)
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["the capture *a.sse *"])
