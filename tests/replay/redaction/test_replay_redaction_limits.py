"""Redaction of hostile text, of what cannot be redacted, and of large bodies in a thread."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # the parse tree of a pattern
from typing import Any

import anyio
import httpx2
import pytest
from helpers import HELLO, body
from redacting import SECRET, URL, asked, masked, written
from server import BACKENDS, run
from test_bombs import check_linear

import streamcore.replay.httpx2
from streamcore.replay import (
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    End,
    Recorder,
    Redaction,
    read_captures,
    write_captures,
)
from streamcore.replay.formats import json_depth
from streamcore.replay.redaction import (
    delta_texts,
    escapes,
    json_fields,
    mask,
    request_body,
    secret_names,
    secret_places,
)
from streamcore.replay.redaction.mask import REDACTED, RedactionError
from streamcore.replay.redaction.secret_places import SecretPlaces

# Hostile input: what is quadratic or recursive does not come to an end here

HOSTILE = [
    "?a=1;" * 20_000,
    "?" + "a=" * 20_000,
    "a" * 100_000 + "://b",
    "://" * 20_000,
    "https://" + "a:" * 100_000 + "/",
    "Bearer " + "a-" * 60_000,
    "_" * 60_000 + "key",
    "/org/" * 20_000,
    "sk-" * 20_000,
    '"' * 60_000,
    '"\\' * 60_000,
    '"token":' * 20_000,
    '"a":"' + '\\"' * 60_000,
    "\\u00" * 20_000,
    "%2" * 60_000,
    '{"credentials":' * 20_000,
    'data: {"index":0,"text":"a"}\n' * 4_000,
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_text_is_redacted_wherever_it_stands(text: str) -> None:
    body = json.dumps({"messages": text}).encode()
    for capture in (
        asked(url=f"https://a/{text}", headers={"referer": text, "authorization": text, "cookie": text, "x": text}),
        asked(body=body),
        asked(headers={"content-type": "application/x-www-form-urlencoded"}, body=text.encode()),
        asked(headers={"content-type": f"multipart/form-data; boundary={text[:50]}"}, body=text.encode()),
        asked(headers={text: "a"}),
        Capture(headers={"location": text, "set-cookie": text}),
        Capture(body=[Chunk(0, text.encode())]),
        Capture(body=[Chunk(0, text.encode()[at : at + 1000]) for at in range(0, len(text), 1000)]),
    ):
        try:
            found = Redaction().redact(capture)
        except RedactionError as error:
            assert "different secrets" in str(error)  # either outcome is right
        else:
            assert sum(len(chunk.data) for chunk in found.chunks) == sum(len(chunk.data) for chunk in capture.chunks)


@pytest.mark.parametrize("size", [20, 100, 5000])
def test_the_work_on_a_body_grows_with_its_size(size: int) -> None:
    event = b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"a\\nTOP"}}\n\n'

    def mask_events(count: int) -> None:
        masked(event * count, SECRET, size=size)

    check_linear(mask_events, 1500)  # more than a block: the first is the only one that is searched alone


def test_the_body_of_a_request_is_searched_in_blocks() -> None:
    """Where the escapes are takes a hundred times the memory of the escapes themselves."""
    sizes: list[int] = []

    class Counting(mask.Secrets):
        def _found(self, view: escapes.View) -> Iterator[escapes.Span]:
            sizes.append(len(view.text))
            return super()._found(view)

    found = Counting(["secret-12345"])
    data = b"\\n" * 75_000
    assert found.data(data) == data
    assert max(sizes) <= 2 * mask.BLOCK_SIZE
    assert sum(sizes) <= 2 * len(data)
    for begin in (0, *range(mask.BLOCK_SIZE - 14, mask.BLOCK_SIZE + 2), len(data) - 12):
        hidden = data[:begin] + b"secret-12345" + data[begin + 12 :]
        assert found.data(hidden) == data[:begin] + b"REDACTED" + data[begin + 12 :]


def test_a_large_chunk_is_searched_in_blocks() -> None:
    sizes: list[int] = []

    class Counting(mask.Secrets):
        def _found(self, view: escapes.View) -> Iterator[escapes.Span]:
            sizes.append(len(view.text))
            return super()._found(view)

    data = b"%41" * 150_000 + b"secret-12345"
    (chunk,) = Counting(["secret-12345"]).body([Chunk(0, data)])
    assert chunk == Chunk(0, data[:-12] + b"x" * 12)
    assert max(sizes) <= 2 * mask.BLOCK_SIZE
    assert sum(sizes) <= 2.5 * len(data)


def test_secrets_that_overlap_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = 0
    origin = escapes.View.origin

    def counted(view: escapes.View, begin: int, end: int) -> Iterator[escapes.Span]:
        nonlocal looked_up
        looked_up += 1
        return origin(view, begin, end)

    monkeypatch.setattr(escapes.View, "origin", counted)
    found = mask.Secrets("a" * size for size in range(12, 212))
    assert found.data(b"%61" * 1000) == b"REDACTED"
    assert looked_up <= 2 * 1000


def test_the_work_on_a_url_grows_with_its_size() -> None:
    check_linear(lambda count: Redaction().redact(asked(url=f"{URL}?{'a=1;' * count}")), 300)


def test_what_has_been_searched_is_not_searched_again() -> None:
    """Each byte is searched at most twice: with the block that it is in, and as what comes before the next one."""
    data = b"x" * 1_000_000
    found = mask.Secrets(["secret-12345"])
    searched = 0
    spans = found.spans

    class Counting(mask.Secrets):
        def spans(self, data: bytes, deltas: Iterable[Sequence[escapes.Span]]) -> Iterator[escapes.Span]:
            nonlocal searched
            searched += len(data)
            return spans(data, deltas)

    for size in (1000, 50_000, 200_000):
        searched = 0
        for _ in Counting(["secret-12345"]).body(Chunk(0, data[at : at + size]) for at in range(0, len(data), size)):
            pass
        assert searched <= 2.5 * len(data)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in (secret_names, secret_places, request_body, mask, delta_texts, json_fields, json_depth, escapes):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


def unbounded(tree: Any) -> Iterator[Any]:
    """The operators of the repeats without an upper bound in a pattern."""
    for operator, argument in tree:
        if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
            if argument[1] is _constants.MAXREPEAT:
                yield operator
            yield from unbounded(argument[2])
        elif isinstance(argument, tuple):
            for part in argument:
                for branch in part if isinstance(part, list) else [part]:
                    if isinstance(branch, _parser.SubPattern):
                        yield from unbounded(branch)
        elif isinstance(argument, _parser.SubPattern):
            yield from unbounded(argument)


@pytest.mark.parametrize(("name", "pattern"), list(patterns()))
def test_no_pattern_can_go_back_over_a_run_of_any_length(name: str, pattern: re.Pattern[Any]) -> None:
    tree = _parser.parse(pattern.pattern, pattern.flags)
    assert all(operator is _constants.POSSESSIVE_REPEAT for operator in unbounded(tree)), name
    # Nor can a search look at the same run from each of its places: it only begins with one if that is all of it.
    assert len(tree) == 1 or not list(unbounded([tree[0]])) or tree[0][0] is _constants.BRANCH, name


# A capture that cannot be redacted


def many_secrets() -> CapturedRequest:
    return CapturedRequest(url=URL, headers={"cookie": "; ".join(f"a{n}=secret-{n:06}" for n in range(1200))})


def failing(head: Capture) -> Capture:
    if head.status == 500:
        raise KeyError("x-trace")
    return head


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Capture(status=500), "KeyError: 'x-trace'"),
        (Capture(request=many_secrets()), "more than 1000 different secrets"),
        (Capture(headers={"content-encoding": "lzma"}), r"its body is packed \('lzma'\)"),
    ],
    ids=str,
)
def test_a_capture_that_cannot_be_redacted_costs_itself_alone(bad: Capture, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    recorder = Recorder(path, redaction=Redaction(hook=failing))
    for number, head in enumerate([Capture(), bad, Capture()]):
        exchange = recorder.begin(head)
        exchange.receive(b"%s-%d" % (SECRET.encode() if head is bad else b"good", number))
        exchange.complete()
    with pytest.raises(CaptureError, match=f"1 of 3 exchanges could not be recorded: .*{said}"):
        recorder.close()
    assert [capture.data for capture in read_captures(path)] == [b"good-0", b"good-2"]
    assert SECRET.encode() not in path.read_bytes()


def test_a_body_that_cannot_be_masked_costs_its_exchange_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    recorder = Recorder(path)
    good, bad = recorder.begin(Capture()), recorder.begin(Capture())
    bad._mask.feed = None  # type: ignore[union-attr, method-assign]
    for exchange in (bad, good):
        exchange.receive(b"data")
        exchange.complete()
    with pytest.raises(CaptureError, match="1 of 2 exchanges could not be recorded"):
        recorder.close()
    assert [capture.data for capture in read_captures(path)] == [b"data"]


def test_a_packed_capture_is_not_written_unless_nothing_shall_be_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    packed = Capture(headers={"content-encoding": "lzma"}, body=[Chunk(0, SECRET.encode())])
    with pytest.raises(CaptureError, match="packed"):
        write_captures(path, [packed])
    assert not path.exists()
    write_captures(path, [packed], redaction=None)
    assert next(iter(read_captures(path))).data == SECRET.encode()


@pytest.mark.parametrize("encoding", ["lzma", "gzip", ", ".join(["gzip"] * 9)])
def test_the_body_of_a_request_that_cannot_be_unpacked_is_taken_out_whole(encoding: str, tmp_path: Path) -> None:
    text = written(tmp_path, asked(headers={"content-encoding": encoding}, body=SECRET.encode()))
    assert SECRET.encode() not in text
    assert b'"body":"REDACTED"' in text


def test_an_answer_in_an_unknown_coding_is_not_recorded_by_a_transport(tmp_path: Path) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-encoding": "lzma"}, content=SECRET.encode())

    path = tmp_path / "a.jsonl"
    transport = streamcore.replay.httpx2.RecordingTransport(path, httpx2.MockTransport(answer))
    client = httpx2.Client(transport=transport)
    assert client.get("http://a/").content == SECRET.encode()
    with pytest.raises(CaptureError, match="its body is packed"):
        client.close()
    assert not path.exists()


def test_a_packed_answer_that_was_cut_off_is_recorded_as_broken_by_a_transport(tmp_path: Path) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(b"abc" * 999)[:-4])

    path = tmp_path / "a.jsonl"
    with httpx2.Client(
        transport=streamcore.replay.httpx2.RecordingTransport(path, httpx2.MockTransport(answer))
    ) as client:
        assert client.get("http://a/").content == b"abc" * 999
    (capture,) = read_captures(path)
    assert capture.data == b"abc" * 999
    assert [step.reason for step in capture.body if isinstance(step, End)] == ["broken"]


# Off the event loop


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_bodies_are_redacted_in_a_thread(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, set[bool]] = {"head": set(), "body": set()}
    begin, search = Redaction.begin, mask.Mask._search
    loop: list[int] = []

    def note(kind: str) -> None:
        threads[kind].add(threading.get_ident() in loop)

    def noted_begin(self: Redaction, head: Capture) -> Any:
        note("head")
        return begin(self, head)

    def noted_search(self: mask.Mask, *, final: bool) -> None:
        if not final:
            note("body")
        search(self, final=final)

    monkeypatch.setattr(Redaction, "begin", noted_begin)
    monkeypatch.setattr(mask.Mask, "_search", noted_search)
    data = body(*HELLO[:3]) + b": " + b"la" * 100_000 + b"\n\n" + body(*HELLO[3:])

    async def chunks() -> Any:
        for at in range(0, len(data), 10_000):
            yield data[at : at + 10_000]

    async def test() -> None:
        loop.append(threading.get_ident())
        sends = httpx2.MockTransport(lambda request: httpx2.Response(200, content=chunks()))
        transport = streamcore.replay.httpx2.AsyncRecordingTransport(tmp_path / "a.jsonl", sends)
        async with httpx2.AsyncClient(transport=transport) as client:
            assert (await client.post("http://api/")).content == data
        with Recorder(tmp_path / "b.jsonl") as recorder:
            threads["head"].clear()
            (await recorder.abegin(asked(body=b'{"a":"%s"}' % (b"a" * 100_000)))).complete()
        await anyio.lowlevel.checkpoint()

    run(backend, test)
    assert threads == {"head": {False}, "body": {False}}
    assert [capture.data for capture in read_captures(tmp_path / "a.jsonl")] == [data]


def test_a_request_that_is_small_only_as_it_was_packed_is_redacted_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_loop: list[bool] = []
    loop = threading.get_ident()
    begin = Redaction.begin

    def noted_begin(self: Redaction, head: Capture) -> Any:
        in_loop.append(threading.get_ident() == loop)
        return begin(self, head)

    monkeypatch.setattr(Redaction, "begin", noted_begin)

    async def test() -> None:
        with Recorder(tmp_path / "a.jsonl") as recorder:
            for request in ({"headers": {"content-encoding": "gzip"}, "body": b"a"}, {"headers": {"a": "b" * 70_000}}):
                (await recorder.abegin(asked(**request))).complete()

    asyncio.run(test())
    assert in_loop == [False, False]


def test_a_request_that_unpacks_to_a_hundred_times_its_size_is_taken_out_whole(tmp_path: Path) -> None:
    for unpacked, is_kept in ((b"%41" * 300_000, True), (b"%41" * 3_000_000, False)):
        packed = gzip.compress(unpacked)
        assert len(unpacked) > 100 * len(packed)
        written(tmp_path, asked(headers={"content-encoding": "gzip"}, body=packed))
        (capture,) = read_captures(tmp_path / "a.jsonl")
        assert capture.request is not None
        assert capture.request.body == (unpacked if is_kept else b"REDACTED")


@pytest.mark.parametrize(
    ("content_type", "piece"),
    [
        ("multipart/form-data; boundary=a", b"--a"),
        ("application/x-www-form-urlencoded", b"&key=a"),
        ("application/x-www-form-urlencoded", b"a=b&"),
        ("text/plain", b"://a:b@"),
        ("application/json", b":\\/\\/a:b@"),
    ],
)
def test_a_request_of_too_many_pieces_is_taken_out_whole(
    content_type: str, piece: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes many times its size in memory while the body is taken apart."""
    monkeypatch.setattr(secret_places, "_MOST_PIECES", 100)
    taken = 0

    def take(*_: object) -> str:
        nonlocal taken
        taken += 1
        return REDACTED

    monkeypatch.setattr(SecretPlaces, "found", take)
    for count in (30, 300):
        taken = 0
        body = piece * count
        if "json" in content_type:
            body = b'{"a":"%s"}' % body
        write_captures(tmp_path / "a.jsonl", [asked(headers={"content-type": content_type}, body=body)])
        (capture,) = read_captures(tmp_path / "a.jsonl")
        assert capture.request is not None
        assert (capture.request.body == b"REDACTED") == (count == 300)
        assert taken <= 90


def test_a_header_of_too_many_values_is_taken_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "_MOST_TOKENS", 100)
    monkeypatch.setattr(json, "loads", None)
    clean = Redaction().redact(asked(headers={"x-a": '["",' + "[]," * 100 + "1]"}))
    assert clean.request is not None
    assert clean.request.headers == (("x-a", "REDACTED"),)


def test_an_exchange_ends_if_its_task_is_cancelled_while_its_head_is_redacted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    begun, released = threading.Event(), threading.Event()

    def wait(head: Capture) -> Capture:
        begun.set()
        assert released.wait(60)
        return head

    recorder = Recorder(path, redaction=Redaction(hook=wait))

    async def test() -> None:
        task = asyncio.create_task(recorder.abegin(asked(body=b'{"a":"%s"}' % (b"a" * 100_000))))
        assert await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        released.set()
        with anyio.fail_after(60):
            while not path.exists():  # it ends without `close()`, which would end it
                recorder.save()
                await asyncio.sleep(0.001)

    asyncio.run(test())
    (capture,) = read_captures(path)
    assert [getattr(step, "reason", step) for step in capture.body] == ["closed"]
