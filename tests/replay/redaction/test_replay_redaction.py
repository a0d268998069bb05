"""What no file may hold: found by name, by looks, and then wherever else it stands."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import attrs
import pytest
from helpers import cut
from hypothesis import given
from hypothesis import strategies as st
from redacting import URL, asked

from streamcore.replay import (
    REDACTED,
    Capture,
    CapturedRequest,
    Chunk,
    End,
    Redaction,
    open_capture,
    write_captures,
)
from streamcore.replay.redaction.mask import BLOCK_SIZE

SECRET = "top/s3cret+ä\"q'"


def written(tmp_path: Path, capture: Capture, redaction: Redaction | None = None) -> tuple[Capture, bytes]:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture], redaction=redaction or Redaction())
    return open_capture(path).in_memory(), path.read_bytes()


def forms(secret: str) -> set[bytes]:
    ways = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    ways |= {re.sub("%..", lambda code: code[0].lower(), way) for way in ways}
    ways |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encoded = {way.encode() for way in ways}
    return encoded | {base64.b64encode(way) for way in encoded}


PLACES = {
    "x-api-key": asked(headers={"X-API-Key": SECRET}),
    "bearer": asked(headers={"Authorization": f"Bearer {SECRET}"}),
    "basic": asked(headers={"authorization": "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()}),
    "proxy": asked(headers={"proxy-authorization": SECRET}),
    "cookie": asked(headers={"cookie": f"theme=dark; session={SECRET}"}),
    "organisation": asked(headers={"anthropic-organization-id": SECRET}),
    "query": asked(url=f"{URL}?api_key={quote(SECRET)}&beta=true"),
    "bare key in the query": asked(url=f"{URL}?beta=true&key={quote(SECRET, safe='')}"),
    "user": asked(url=f"https://{quote(SECRET, safe='')}@api.anthropic.com/"),
    "password": asked(url=f"https://me:{quote(SECRET, safe='')}@api.anthropic.com/"),
    "field": asked(body=json.dumps({"mcp_servers": [{"authorization_token": SECRET}]}).encode()),
    "field in camel case": asked(body=json.dumps({"a": {"apiKey": SECRET}}, ensure_ascii=False).encode()),
    "form": asked(
        headers={"content-type": "application/x-www-form-urlencoded"}, body=f"client_secret={quote(SECRET)}".encode()
    ),
    "packed body": asked(
        headers={"content-encoding": "gzip"}, body=gzip.compress(json.dumps({"api_key": SECRET}).encode())
    ),
    "set-cookie": Capture(headers=[("set-cookie", f"id={SECRET}; Path=/; HttpOnly")]),
    "organisation of the response": Capture(headers={"Anthropic-Organization-Id": SECRET}),
    "workspace of the response": Capture(headers={"anthropic-workspace-id": SECRET}),
}


def echoed(capture: Capture) -> Capture:
    """The same secret in every other place: an exchange with a server that says back what it was told."""
    request = capture.request or CapturedRequest(url=URL)
    said = json.dumps({"said": SECRET}).encode() + json.dumps([SECRET], ensure_ascii=False).encode()
    more = f"q={quote(SECRET)}&r={quote(SECRET, safe='')}&s={quote_plus(SECRET)}&t={quote(SECRET, safe='').lower()}"
    query = f"{'&' if '?' in request.url else '?'}{more}"
    return attrs.evolve(
        capture,
        request=attrs.evolve(
            request,
            url=request.url + query,
            headers=(*request.headers, ("x-else", f"<{SECRET}>")),
            body=request.body or said,
        ),
        headers=(*capture.headers, ("x-said", SECRET)),
        body=[
            *(Chunk(0, bytes([byte])) for byte in said),
            Chunk(1, said),
            End(1, "broken", f"no {SECRET} to {URL}{query}"),
        ],
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_any_place_is_in_no_file(place: str, tmp_path: Path) -> None:
    for capture in (PLACES[place], echoed(PLACES[place])):
        found, text = written(tmp_path, capture)
        assert found.request is None or found.request.header("content-encoding") is None
        for form in forms(SECRET):
            assert form not in text
            # as it would stand inside a JSON string
            assert json.dumps(form.decode())[1:-1].encode() not in text


PLAIN_SECRET = "TOPSECRET-123456"
JSON_PLACES = [
    *(
        {name: PLAIN_SECRET}
        for name in (
            [
                "cookie",
                "cookies",
                "organization_uuid",
                "org_id",
                "secret",
                "token",
                "auth",
                "session_id",
                "id_token",
                "x-api-key",
                "clientSecret",
            ]
        )
    ),
    {"api_key": [PLAIN_SECRET]},
    {"api_key": {"value": PLAIN_SECRET}},
    {"headers": {"Authorization": f"Bearer {PLAIN_SECRET}"}},
    {"headers": [{"name": "Authorization", "value": f"Bearer {PLAIN_SECRET}"}]},
    {"headers": [{"Name": "x-api-KEY", "Value": PLAIN_SECRET}]},
    {"\u017fecret": PLAIN_SECRET},
    {"mcp_servers": [{"type": "url", "url": f"https://m.example/sse?api_key={PLAIN_SECRET}&a=1"}]},
    {"source": {"url": f"https://bob:{PLAIN_SECRET}@m.example/x"}},
    {"text": f"see https://m.example/#access_token={PLAIN_SECRET}"},
    {"api_key": PLAIN_SECRET, "text": "\ud800"},
]
HEADERS = [
    "x-organization-uuid",
    "anthropic-org",
    "x-anthropic-key",
    "x-functions-key",
    "x-jwt",
    "cf-access-jwt-assertion",
    "x-session",
    "x-api-keys",
    "cookie2",
    "x-signature",
    "x-bearer",
    "x-user-token-v2",
    "x-auth-user",
    "apikey",
    "openai-organization",
    "x-amz-security-token",
]
PARAMETERS = [
    "X-Amz-Signature",
    "jwt",
    "code",
    "pwd",
    "org",
    "organization_uuid",
    "access_token",
    "X-Amz-Credential",
    "sig",
    "pass",
    "api%5Fkey",
]


@pytest.mark.parametrize(
    "capture",
    [
        *(asked(body=json.dumps(value).encode()) for value in JSON_PLACES),
        *(asked(headers={name: PLAIN_SECRET}) for name in HEADERS),
        *(Capture(headers={name: PLAIN_SECRET}) for name in HEADERS),
        *(asked(url=f"{URL}?a=1&{name}={PLAIN_SECRET}&b=2") for name in PARAMETERS),
        asked(url=f"{URL}?a=1#access_token={PLAIN_SECRET}"),
        asked(url=f"{URL}?a=1;api_key={PLAIN_SECRET}"),
        asked(url=f"https://api.anthropic.com/v1/organizations/{PLAIN_SECRET}/messages"),
        asked(headers={"x-target": f"https://m.example/?token={PLAIN_SECRET}"}),
        asked(
            headers={"content-type": "multipart/form-data; boundary=b"},
            body=b'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n%s\r\n--b--' % PLAIN_SECRET.encode(),
        ),
        asked(
            headers={"content-type": "multipart/form-data; boundary=b"},
            body=b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n{"token":"%s"}\r\n--b--'
            % PLAIN_SECRET.encode(),
        ),
        asked(body=b'{"api_key":"%s","n":%s}' % (PLAIN_SECRET.encode(), b"[" * 100_000 + b"]" * 100_000)),
        asked(
            headers={"content-type": "multipart/form-data; boundary=b"},
            body=b"--b\r\nContent-Disposition: form-data; name*=UTF-8''api_key\r\n\r\n%s\r\n--b--"
            % PLAIN_SECRET.encode(),
        ),
        asked(body=b"client_secret=%s" % PLAIN_SECRET.encode()),
        asked(body=b'\x1e{"api_key":"%s"}\n' % PLAIN_SECRET.encode()),
        asked(headers={"authorization": f"Bearer\t{PLAIN_SECRET}"}, body=PLAIN_SECRET.encode()),
        asked(headers={"authorization": f"Bearer {PLAIN_SECRET}, other"}, body=PLAIN_SECRET.encode()),
        Capture(headers={"location": f"//me:{PLAIN_SECRET}@m.example/"}),
        asked(body=b'{"api_key":"%s","api_key":null}' % PLAIN_SECRET.encode()),
        asked(body=b'{"api_key":"%s"' % PLAIN_SECRET.encode()),
    ],
    ids=str,
)
def test_what_is_in_a_secret_place_is_in_no_file(capture: Capture, tmp_path: Path) -> None:
    _, text = written(tmp_path, capture)
    assert PLAIN_SECRET.encode() not in text
    assert REDACTED.encode() in text


def test_json_is_json_whatever_the_content_type_says(tmp_path: Path) -> None:
    body = b'{"text":"see a?a=1&key=abc and b","api_key":"%s","stream":true}' % PLAIN_SECRET.encode()
    capture = asked(headers={"content-type": "application/x-www-form-urlencoded"}, body=body)
    found, _ = written(tmp_path, capture)
    assert found.request is not None
    assert found.request.body == body.replace(PLAIN_SECRET.encode(), REDACTED.encode())


@pytest.mark.parametrize(
    "capture",
    [
        asked(headers={"authorization": "Bearer sk-1"}),
        asked(headers={"authorization": 'Digest username="me", uri="/v1/messages", response="0"'}),
        asked(headers={"cookie": "lang=english; theme=solarized-dark; zone=Europe/Lisbon"}),
        Capture(
            headers={
                "set-cookie": "a=b1c2d3e4f5; path=/v1/messages; domain=.anthropic.com; Max-Age=604800; SameSite=Strict"
            }
        ),
        asked(headers={"anthropic-organization-id": "acme-corporation"}),
        asked(headers={"x-api-key": "testing"}),
        asked(url=f"https://user@{URL.removeprefix('https://')}"),
        asked(body=b'{"tools":[{"token":{"type":"string","description":"A token of the english user"}}]}'),
    ],
    ids=str,
)
def test_words_that_stand_in_secret_places_stay_elsewhere(capture: Capture, tmp_path: Path) -> None:
    said = (
        b"Use a Bearer token, a Digest of /v1/messages, english and solarized-dark in Europe/Lisbon, Max-Age 604800 is "
        b"Strict at .anthropic.com; acme-corporation is testing strings: A token of the english user"
    )
    found, _ = written(tmp_path, attrs.evolve(capture, body=[Chunk(0, said), End(1, "broken", said.decode())]))
    assert list(found.body) == [Chunk(0, said), End(1, "broken", said.decode())]
    if found.request is not None:
        assert found.request.url.endswith("api.anthropic.com/v1/messages")


def test_keys_are_known_by_their_looks_where_only_the_answer_has_them() -> None:
    def masked(*chunks: bytes) -> bytes:
        return b"".join(
            step.data for step in Redaction().redact(Capture(body=[Chunk(0, data) for data in chunks])).chunks
        )

    for before in (b"", b" ", b"foo_", b"\\n", b"\\u00e4", b"%22", b'"'):
        data = before + LOOKS.encode() + b"."
        expected = before + b"x" * len(LOOKS) + b"."
        assert masked(data) == expected
        assert masked(*(bytes([byte]) for byte in data)) == expected
    for harmless in (b"a task-ant-colonies-hill", b"sk-learning-and-more-of-such-words", b"sk-", b"s", b"task"):
        assert masked(harmless) == harmless
        assert masked(*(bytes([byte]) for byte in harmless)) == harmless
    end = End(0, "broken", f"no {LOOKS}")
    assert list(Redaction().redact(Capture(body=[end])).body) == [End(0, "broken", f"no {REDACTED}")]


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_no_more_is_held_than_two_blocks_and_a_chunk(size: int) -> None:
    _, mask = Redaction(secrets=["sesame-1"]).begin(Capture())
    held = most = 0
    for time in range(300_000 // size):
        ready = mask.feed(Chunk(time, b"a" * size))
        held += size - sum(len(chunk.data) for chunk in ready if isinstance(chunk, Chunk))
        most = max(most, held)
    assert most <= 2 * BLOCK_SIZE + size
    assert held == sum(len(chunk.data) for chunk in mask.finish() if isinstance(chunk, Chunk))


def test_what_is_held_comes_with_the_end() -> None:
    _, mask = Redaction(secrets=["sesame-1"]).begin(Capture())
    chunk = Chunk(0, b'data: {"type":"ping"}\n\n')
    assert mask.feed(chunk) == []
    assert mask.feed(Chunk(1, b"data sesa")) == []
    assert mask.feed(Chunk(2, b"me-1")) == []
    first, *rest = mask.feed(End(3))
    assert first is chunk
    assert rest == [Chunk(1, b"data xxxx"), Chunk(2, b"xxxx"), End(3)]


LOOKS = "sk-ant-api03-AbC_123-xyz"


@pytest.mark.parametrize(
    "capture",
    [
        asked(url=f"{URL}/{LOOKS}"),
        asked(headers={"x-else": f"a {LOOKS};"}),
        asked(body=f'{{"text":"my key is {LOOKS}!"}}'.encode()),
        Capture(headers={"x-else": LOOKS}),
    ],
)
def test_a_secret_is_known_by_its_looks_too(capture: Capture, tmp_path: Path) -> None:
    found, text = written(tmp_path, attrs.evolve(capture, body=[Chunk(0, f"<{LOOKS}>".encode())]))
    assert LOOKS.encode() not in text
    assert REDACTED.encode() in text
    assert found.data == b"<" + b"x" * len(LOOKS) + b">"


def test_what_is_no_secret_stays_as_it_is(tmp_path: Path) -> None:
    capture = Capture(
        request=CapturedRequest(
            url=f"{URL}?beta=true&empty=&flag",
            headers=(("Content-Type", "application/json"), ("anthropic-version", "2023-06-01"), ("x", "a"), ("x", "b")),
            body=b'{ "max_tokens": 7, "token_count": 1.50, "messages": [{"key": "C", "tokens": "lisbon"}, '
            b'{"organization": "Anthropic", "text": "sk-learn and sk-learning"}] }',
        ),
        headers=(("anthropic-ratelimit-tokens-limit", "100"), ("request-id", "req_1")),
        body=(Chunk(0, b"event: ping\nlisbon Anthropic\xff"), End(1)),
    )
    assert written(tmp_path, capture)[0] == capture


def test_a_short_value_is_taken_out_where_its_name_tells_and_nowhere_else(tmp_path: Path) -> None:
    capture = asked(headers={"x-api-key": "test"}, body=b'{"text": "this is a test"}')
    found, _ = written(tmp_path, attrs.evolve(capture, body=[Chunk(0, b"a test")]))
    assert found.request is not None
    assert found.request.headers == (("x-api-key", REDACTED),)
    assert found.request.body == b'{"text": "this is a test"}'
    assert found.data == b"a test"


def test_more_can_be_taken_out(tmp_path: Path) -> None:
    capture = Capture(
        request=CapturedRequest(url=f"{URL}?customer=ann", headers={"X-Customer": "ann"}, body=b'{"customer":"ann"}'),
        headers={"x-trace": "trace-1"},
        body=[Chunk(0, b"id=4"), Chunk(1, b"2;")],
    )

    def without_trace(head: Capture) -> Capture:
        assert list(head.body) == []
        return attrs.evolve(head, headers=[pair for pair in head.headers if pair[0] != "x-trace"])

    found, text = written(
        tmp_path, capture, Redaction(secrets=["=42"], names=["x-customer", "CUSTOMER"], hook=without_trace)
    )
    assert b"ann" not in text
    assert b"trace" not in text
    assert list(found.chunks) == [Chunk(0, b"idxx"), Chunk(1, b"x;")]


def test_nothing_is_taken_out_if_nothing_shall_be(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    capture = echoed(PLACES["bearer"])
    write_captures(path, [capture], redaction=None)
    assert open_capture(path).in_memory() == capture.in_memory()


def test_what_was_taken_out_once_stays_as_it_is(tmp_path: Path) -> None:
    once, text = written(tmp_path, echoed(PLACES["bearer"]))
    assert written(tmp_path, once) == (once, text)


pieces = st.lists(st.sampled_from([b"secret", b"secre", b"sec", b"ret", b"s", b"e", b"\n", b"top secret"])).map(
    b"".join
)


@given(pieces, st.data())
def test_a_mask_keeps_sizes_and_times_and_finds_what_is_cut(data: bytes, draw: st.DataObject) -> None:
    points = draw.draw(st.lists(st.integers(0, len(data))).map(sorted))
    chunks = [Chunk(n, chunk) for n, chunk in enumerate(cut(data, points))]
    found = list(Redaction(secrets=["secret"]).redact(Capture(body=[*chunks, End(99)])).body)
    assert found[-1] == End(99)
    masked = [step for step in found if isinstance(step, Chunk)]
    assert [(chunk.time, len(chunk.data)) for chunk in masked] == [(chunk.time, len(chunk.data)) for chunk in chunks]
    assert b"".join(chunk.data for chunk in masked) == data.replace(b"secret", b"xxxxxx")


@pytest.mark.parametrize("value", ["", " ", "Bearer", "Bearer ", "\t"])
def test_a_credential_may_be_missing(value: str) -> None:
    request = Redaction().redact(asked(headers={"authorization": value})).request
    assert request is not None
    assert request.headers == (("authorization", "REDACTED"),)
