"""What no file may hold: found by name, by looks, and then wherever else it stands."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import attrs
import pytest
from helpers import cut
from hypothesis import given
from hypothesis import strategies as st

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

URL = "https://api.anthropic.com/v1/messages"
SECRET = "tOp/s3cret+ä\"q'"


def written(tmp_path: Path, capture: Capture, redaction: Redaction | None = None) -> tuple[Capture, bytes]:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture], redaction=redaction or Redaction())
    return open_capture(path).in_memory(), path.read_bytes()


def asked(**fields: object) -> Capture:
    return Capture(request=CapturedRequest(**{"url": URL, **fields}))  # type: ignore[arg-type]


def forms(secret: str) -> set[bytes]:
    ways = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
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
    more = f"q={quote(SECRET)}&r={quote(SECRET, safe='')}&s={quote_plus(SECRET)}"
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
            body=b'{ "max_tokens": 7, "token_count": 1.50, "messages": [{"key": "C", "token": "lisbon"}, '
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
