"""Secrets in odd names and spellings, in pieces, and in fields of answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import STREAMS, body, cut, stream_id
from hypothesis import given
from hypothesis import strategies as st
from redacting import SECRET, URL, asked, masked, written

from streamcore.replay import (
    REDACTED,
    Capture,
    CapturedRequest,
    Chunk,
    Redaction,
)
from streamcore.replay.redaction.json_fields import FieldScanner
from streamcore.types.text_deltas import TEXT_DELTAS


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
        {"location": f"/API/Organizations/{SECRET}"},
        {"referer": f"https://a/?token[]={SECRET}"},
        {"refresh": f"0;url='https://a/?token={SECRET}'"},
        {"user-agent": f"a (+https://a/?token={SECRET})"},
    ],
    ids=str,
)
def test_urls_in_headers_are_read(headers: dict[str, str], tmp_path: Path) -> None:
    assert SECRET.encode() not in written(tmp_path, Capture(headers=headers, body=[Chunk(0, f"<{SECRET}>".encode())]))


@pytest.mark.parametrize("token", [f"it's{SECRET}", f"a({SECRET})", f"a{{b}}{SECRET}", f"a`b|{SECRET}"])
def test_a_parameter_of_a_url_in_a_header_is_taken_out_whole(token: str, tmp_path: Path) -> None:
    found = written(tmp_path, Capture(headers={"referer": f"https://a/?token={token}&b=1"}))
    assert SECRET.encode() not in found
    assert b"https://a/?token=REDACTED&b=1" in found


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


KINDS = [(kind, row.source) for kind, row in TEXT_DELTAS.items()] + [("aside_delta", "aside")]  # and one that is new


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


@pytest.mark.parametrize("size", [100, 70_000, 150_000])
@pytest.mark.parametrize("chunk", [1000, None])
def test_the_text_of_a_delta_before_the_split_may_be_longer_than_a_block(size: int, chunk: int | None) -> None:
    other = deltas("text_delta", "text", ["b"], index=1)
    first, second = deltas("text_delta", "text", [size * "a" + SECRET[:5], SECRET[5:]])
    found = masked(first + b"".join(other) + second, SECRET, size=chunk)
    assert joined(found, "text") == size * "a" + "x" * len(SECRET)


def test_a_long_secret_is_masked_in_pieces() -> None:
    secret = "".join(f"{n:05}" for n in range(3000))
    data = b"<" + secret.encode() + b"> <" + secret[5000:5600].encode() + b">"
    found = masked(data, secret, size=1000)
    assert found[: len(secret) + 2] == b"<" + b"x" * len(secret) + b">"
    assert found.count(b"x") >= len(secret) + 256


def test_a_secret_may_have_percent_escapes_that_are_no_utf8() -> None:
    for secret in ("s%E9cret/12345", "/".join(f"%FF{number}" for number in range(100))):
        answer = json.dumps({"text": secret}).replace("/", "\\/").encode()
        assert json.loads(masked(answer, secret)) == {"text": "x" * len(answer[10:-2])}


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
        (b'data: {"token":\ndata: "abc","a":"b"}\n\n', b'data: {"token":\ndata: "xxx","a":"b"}\n\n'),
        (b'data: {"token"\r\ndata::\r\ndata:\r\ndata:"abc"}', b'data: {"token"\r\ndata::\r\ndata:\r\ndata:"xxx"}'),
        (
            b'data: {"token":\ndata: [1,\ndata: {"a":\ndata: "bc"}]}',
            b'data: {"token":\ndata: [1,\ndata: {"x":\ndata: "xx"}]}',
        ),
        (b'{"token":\ndat "a"}', b'{"token":\ndat "a"}'),
    ],
)
def test_fields_of_an_answer_that_are_named_for_secrets_are_crossed_out(answer: bytes, expected: bytes) -> None:
    for size in (None, 1, 3, 10):
        assert masked(answer, size=size) == expected


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_field_is_found_wherever_the_scan_is_interrupted(line_end: bytes) -> None:
    data = line_end.join([b'data: {"token"', b"data: :", b'data: "abc","a":', b'data: "b"}', b""])
    value = data.index(b"abc")
    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            scanner = FieldScanner(lambda name: name == "token")
            spans, at = scanner.scan(data[:first], 0, final=False)
            more, at = scanner.scan(data[:second], at, final=False)
            rest, at = scanner.scan(data, at, final=True)
            crossed = [n for begin, end, _ in spans + more + rest for n in range(begin, end)]
            assert crossed == [value, value + 1, value + 2], (first, second)


SECRET_FIELDS = """
    access_token accessToken access_tokens refreshTokens api-tokens my_auth_tokens idTokens bearer Bearer_Tokens
    bearer_token signing_key signingKeys webhook_signing_key api_keys apiKeys2 client_key encryption_key master_key
    ssh_keys hmacKey auth_key app_key account_key license_key passcode passcodes userPasscode user_passwords
    pass_phrases otp totp mfa_code recoveryCodes authorization_code jwts session_ids deviceIds client_secrets x_auth
    credential
"""
PLAIN_FIELDS = """
    input_tokens max_tokens output_tokens cache_read_input_tokens tokens token_count total_tokens paid_tokens
    session_tokens key keys public_key primary_key foreign_key partition_key sort_key cache_key map_key keyboard
    signature code status_code error_code source_code author passenger bypass stop session organization user_id
    device
"""


@pytest.mark.parametrize("name", SECRET_FIELDS.split())
def test_what_is_named_for_secrets_is_taken_out(name: str) -> None:
    answer = json.dumps({name: ["abc"]}).encode()
    assert masked(answer) == answer.replace(b"abc", b"xxx")
    request = CapturedRequest(
        url=f"https://a/?{name}=abc", headers={name: "abc"}, body=json.dumps({name: "abc"}).encode()
    )
    found = Redaction().redact(Capture(request=request)).request
    assert found is not None
    assert "abc" not in str(found)


@pytest.mark.parametrize("name", PLAIN_FIELDS.split())
def test_what_is_not_named_for_secrets_is_kept(name: str) -> None:
    data = json.dumps({name: "abc"}).encode()
    assert masked(data) == data
    found = Redaction().redact(Capture(request=CapturedRequest(url="https://a", body=data))).request
    assert found is not None
    assert found.body == data


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
