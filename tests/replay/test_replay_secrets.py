"""Secrets in odd names, spellings and pieces; hostile heads; captures that cannot be redacted."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # the parse tree of a pattern
from typing import Any

import anyio
import httpx2
import pytest
from helpers import HELLO, STREAMS, body, cut, stream_id
from hypothesis import given
from hypothesis import strategies as st
from server import BACKENDS, run
from test_bombs import check_linear

import streamcore.replay.httpx2
from streamcore import AsyncMessageStream
from streamcore.replay import (
    REDACTED,
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    Recorder,
    Redaction,
    escapes,
    json_depth,
    json_fields,
    mask,
    read_captures,
    record,
    request_body,
    secret_names,
    secret_places,
    write_captures,
)
from streamcore.replay.mask import RedactionError

URL = "https://api.anthropic.com/v1/messages"
SECRET = "TOPSECRET-123456"


def written(tmp_path: Path, capture: Capture, redaction: Redaction | None = None) -> bytes:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture], redaction=redaction or Redaction())
    return path.read_bytes()


def asked(**fields: Any) -> Capture:
    return Capture(request=CapturedRequest(**{"url": URL, **fields}))


def masked(data: bytes, *secrets: str, size: int | None = None) -> bytes:
    """The body of an answer, in chunks of so many bytes, without what is secret in it."""
    chunks = [data] if size is None else [data[at : at + size] for at in range(0, len(data), size)]
    found = Redaction(secrets=secrets).redact(Capture(body=[Chunk(0, chunk) for chunk in chunks]))
    assert [len(chunk.data) for chunk in found.chunks] == [len(chunk) for chunk in chunks]
    return found.data


def crossed_out(data: bytes, secret: bytes = SECRET.encode()) -> bytes:
    assert secret in data
    return data.replace(secret, b"x" * len(secret))


# Names


def in_any_case(name: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(name), max_size=len(name)).map(
        lambda upper: "".join(c.upper() if up else c for c, up in zip(name, upper, strict=True))
    )


names = st.sampled_from(["x-api-key", "authorization", "cookie", "x_api_key", "anthropic-organization-id"])


@given(names.flatmap(in_any_case))
def test_a_name_is_known_in_any_case(name: str) -> None:
    for capture in (
        asked(headers={name: SECRET}),
        asked(headers={"referer": f"https://a/?a=1&{name}={SECRET}"}),
        asked(url=f"{URL}?{name}={SECRET}"),
        asked(body=json.dumps({name: SECRET}).encode()),
        Capture(headers={f"set-{name}": SECRET}),
    ):
        head = Redaction().redact(capture)
        assert SECRET not in repr(head)
        assert REDACTED in repr(head)


@pytest.mark.parametrize(
    "name", ["x-api-kEy", "AuthoriZation", "CooKie", "aPi_KeY", "apiKey", "accessTokenV2", "X.API.KEY"]
)
def test_a_name_is_not_split_at_capitals(name: str, tmp_path: Path) -> None:
    for capture in (
        asked(headers={name: SECRET}),
        Capture(headers={name: SECRET}),
        asked(url=f"{URL}?{name}={SECRET}"),
    ):
        assert SECRET.encode() not in written(tmp_path, capture)


def test_names_that_only_look_secret_keep_their_values() -> None:
    headers = {"anthropic-ratelimit-tokens-limit": "100", "accept": "a;q=0.8", "x-request": "a=b&c=d", "date": "Sun"}
    assert Redaction().redact(Capture(headers=headers)).headers == tuple(headers.items())


@pytest.mark.parametrize(
    "headers",
    [
        {"location": f"/cb?access_token={SECRET}"},
        {"location": f"/cb?next=/a?token={SECRET}"},
        {"referer": f"https://me:{SECRET}@a.example/x@y?b"},
        {"link": f"<https://a/?token={SECRET}>; rel=next"},
        {"location": f"https://a/organizations/{SECRET}/x"},
    ],
    ids=str,
)
def test_urls_in_headers_are_read(headers: dict[str, str], tmp_path: Path) -> None:
    assert SECRET.encode() not in written(tmp_path, Capture(headers=headers, body=[Chunk(0, f"<{SECRET}>".encode())]))


# The identity of a user of Claude Code

ACCOUNT, DEVICE, SESSION = "8f2b6c1e-0d3a-4b5c-9e7f-112233445566", "d3" * 32, "11111111-2222-4333-8444-555566667777"


@pytest.mark.parametrize(
    "user_id",
    [
        json.dumps({"device_id": DEVICE, "account_uuid": ACCOUNT, "session_id": SESSION}),
        f"user_{DEVICE}_account_{ACCOUNT}_session_{SESSION}",
    ],
)
def test_the_user_id_of_claude_code_is_taken_out_with_its_parts(user_id: str, tmp_path: Path) -> None:
    request = {
        "metadata": {"user_id": user_id, "a": 1},
        "messages": [{"role": "user", "content": f"{ACCOUNT} {DEVICE}"}],
    }
    capture = Capture(
        request=CapturedRequest(url=URL, headers={"x-device": DEVICE}, body=json.dumps(request).encode()),
        headers={"x-account": ACCOUNT},
        body=[Chunk(0, f"{ACCOUNT}, {DEVICE}, {SESSION}".encode())],
    )
    text = written(tmp_path, capture)
    for secret in (ACCOUNT, DEVICE, SESSION):
        assert secret.encode() not in text
    assert b'\\"a\\":1' in text
    for bare in (ACCOUNT, DEVICE):
        body = json.dumps({"account_uuid": bare, "metadata": {"user_id": "user-1"}}).encode()
        assert bare.encode() not in written(tmp_path, asked(body=body))


# Spellings

ODD = 'p+q/r"s\\t~ü😀1'


def spelled(secret: str, level: int) -> set[bytes]:
    """The ways to write a text in JSON, in JSON in a string of JSON, and in a URL."""
    ways = {secret, *(json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))}
    ways.add("".join(f"\\u{unit:04X}" for unit in memoryview(secret.encode("utf-16-le")).cast("H")))
    ways.add(json.dumps(secret)[1:-1].replace("/", "\\/").replace("+", "\\u002B"))
    ways.add("".join(f"%{byte:02x}" for byte in secret.encode()))
    if level:
        ways |= {json.dumps(way)[1:-1] for way in ways} | {way.replace("%", "%25") for way in ways}
    return {way.encode() for way in ways}


@pytest.mark.parametrize("secret", [ODD, SECRET, "a b c d 1"])
def test_a_known_secret_is_found_however_it_is_spelled(secret: str) -> None:
    for way in spelled(secret, 1):
        for before, after in ((b'{"a":"', b'"}'), (b"\\n", b"\\n"), (b"", b"")):
            for size in (None, 1, 7):
                data = before + way + after
                assert masked(data, secret, size=size) == before + b"x" * len(way) + after, way
        request = Redaction(secrets=[secret]).redact(asked(body=b"<" + way + b">")).request
        assert request is not None
        assert request.body == b"<REDACTED>"


def test_a_key_in_the_head_is_found_in_the_answer_with_other_escapes(tmp_path: Path) -> None:
    capture = asked(headers={"authorization": "Bearer abc+def/ghi=123"})
    for way in (rb"abc+def\/ghi=123", rb"abc\u002Bdef\u002Fghi\u003d123", rb"abc%2Bdef%2fghi%3D123"):
        answer = Capture(request=capture.request, body=[Chunk(0, b'{"a":"' + way + b'"}')])
        assert Redaction().redact(answer).data == b'{"a":"' + b"x" * len(way) + b'"}'


# Deltas


def deltas(kind: str, field: str, pieces: list[str], index: int = 0) -> list[bytes]:
    return [
        body({"type": "content_block_delta", "index": index, "delta": {"type": kind, field: piece}}) for piece in pieces
    ]


def joined(stream: bytes, field: str, index: int = 0) -> str:
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]
    return "".join(event["delta"].get(field, "") for event in events if event.get("index") == index)


KINDS = [("text_delta", "text"), ("thinking_delta", "thinking"), ("input_json_delta", "partial_json")]


@pytest.mark.parametrize(("kind", "field"), KINDS)
@given(data=st.data())
def test_a_secret_that_is_split_over_deltas_is_masked(kind: str, field: str, data: st.DataObject) -> None:
    text = f'{{"a": "{SECRET}"}}, sk-ant-api03-AbC_123-xyz.'
    points = data.draw(st.lists(st.integers(0, len(text))).map(sorted))
    pieces = [piece.decode() for piece in cut(text.encode(), points)]
    stream = b"".join(deltas(kind, field, pieces))
    found = masked(stream, SECRET, size=data.draw(st.sampled_from([None, 1, 50])))
    assert joined(found, field) == f'{{"a": "{"x" * len(SECRET)}"}}, {"x" * 24}.'


def test_deltas_of_other_blocks_may_come_between() -> None:
    first, other = deltas("text_delta", "text", list(SECRET)), deltas("text_delta", "text", ["ab"] * len(SECRET), 1)
    stream = b"".join(piece for pair in zip(first, other, strict=True) for piece in pair)
    found = masked(stream, SECRET, size=100)
    assert joined(found, "text") == "x" * len(SECRET)
    assert joined(found, "text", 1) == "ab" * len(SECRET)


def test_a_long_secret_is_masked_in_pieces() -> None:
    secret = "".join(f"{n:05}" for n in range(3000))
    data = b"<" + secret.encode() + b"> <" + secret[5000:5600].encode() + b">"
    found = masked(data, secret, size=1000)
    assert found[: len(secret) + 2] == b"<" + b"x" * len(secret) + b">"
    assert found.count(b"x") >= len(secret) + 256


@pytest.mark.parametrize("size", [1000, 64 * 1024, 300_000])
def test_secrets_are_found_wherever_a_block_ends(size: int) -> None:
    filler = b"la " * 1000
    data = b"".join(filler[: 2000 + n] + SECRET.encode() for n in range(100))
    assert masked(data, SECRET, size=size) == crossed_out(data)


# Fields of answers


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"access_token":"abc","a":"abc"}', b'{"access_token":"xxx","a":"abc"}'),
        (b'{ "accessToken" : "a\\"b" , "b" : 1 }', b'{ "accessToken" : "xxxx" , "b" : 1 }'),
        (b'{"access\\u005ftoken":"abc"}', b'{"access\\u005ftoken":"xxx"}'),
        (b'{"token":-12.5e3,"a":2}', b'{"token":1111111,"a":2}'),
        (b'{"token":null,"secret":true,"a":"b"}', b'{"token":null,"secret":true,"a":"b"}'),
        (
            b'{"credentials":{"a":["b",{"c":"d\\\\"}],"e":7},"f":"g"}',
            b'{"credentials":{"x":["x",{"x":"xxx"}],"x":1},"f":"g"}',
        ),
        (b'{"password":"","a":"b"}', b'{"password":"","a":"b"}'),
        (b'{"tokens":"a","signature":"b","token_count":1}', b'{"tokens":"a","signature":"b","token_count":1}'),
        (b'{"text":"\\"token\\": \\"abc\\""}', b'{"text":"\\"token\\": \\"abc\\""}'),
        (b'data: {"token":"abc\n\ndata: {"a":"b"}\n', b'data: {"token":"xxx\n\ndata: {"a":"b"}\n'),
        (b'{"token":"abc', b'{"token":"xxx'),
    ],
)
def test_fields_of_an_answer_that_are_named_for_secrets_are_crossed_out(answer: bytes, expected: bytes) -> None:
    for size in (None, 1, 3, 10):
        assert masked(answer, size=size) == expected


def test_the_value_of_a_field_may_be_longer_than_a_block() -> None:
    data = b'{"access_token":"' + b"ab\\n" * 100_000 + b'","a":"ab"}'
    for size in (None, 10_000):
        assert masked(data, size=size) == b'{"access_token":"' + b"x" * 400_000 + b'","a":"ab"}'


def test_further_names_are_fields_of_answers_too() -> None:
    found = Redaction(names=["customer"]).redact(Capture(body=[Chunk(0, b'{"Customer":"ann"}')]))
    assert found.data == b'{"Customer":"xxx"}'


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_recorded_stream_has_nothing_to_mask(path: Path) -> None:
    data = path.read_bytes()
    assert masked(data, size=1000) == data


# Hostile input: what is quadratic or recursive does not come to an end here

HOSTILE = [
    "?a=1;" * 50_000,
    "?" + "a=" * 50_000,
    "a" * 250_000 + "://b",
    "://" * 50_000,
    "https://" + "a:" * 250_000 + "/",
    "Bearer " + "a-" * 150_000,
    "_" * 150_000 + "key",
    "/org/" * 50_000,
    "sk-" * 50_000,
    '"' * 150_000,
    '"\\' * 150_000,
    '"token":' * 50_000,
    '"a":"' + '\\"' * 150_000,
    "\\u00" * 50_000,
    "%2" * 150_000,
    '{"credentials":' * 50_000,
    'data: {"index":0,"text":"a"}\n' * 10_000,
]


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

    check_linear(mask_events, 1500 if size > 20 else 700)


def test_the_work_on_a_url_grows_with_its_size() -> None:
    check_linear(lambda count: Redaction().redact(asked(url=f"{URL}?{'a=1;' * count}")), 300)


def test_what_has_been_searched_is_not_searched_again() -> None:
    """Each byte is searched at most twice: with the block that it is in, and as what comes before the next one."""
    data = b"x" * 1_000_000
    found = mask.Secrets(["secret-12345"])
    searched = 0
    spans = found.spans

    class Counting(mask.Secrets):
        def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
            nonlocal searched
            searched += len(data)
            return spans(data)

    for size in (1000, 50_000, 200_000):
        searched = 0
        for _ in Counting(["secret-12345"]).body(Chunk(0, data[at : at + size]) for at in range(0, len(data), size)):
            pass
        assert searched <= 2.5 * len(data)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in (secret_names, secret_places, request_body, mask, json_fields, json_depth, escapes):
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
        async with record(AsyncMessageStream(chunks()), tmp_path / "a.jsonl") as stream:
            await stream.until_done()
        with Recorder(tmp_path / "b.jsonl") as recorder:
            threads["head"].clear()
            (await recorder.abegin(asked(body=b'{"a":"%s"}' % (b"a" * 100_000)))).complete()
        await anyio.lowlevel.checkpoint()

    run(backend, test)
    assert threads == {"head": {False}, "body": {False}}
    assert [capture.data for capture in read_captures(tmp_path / "a.jsonl")] == [data]
