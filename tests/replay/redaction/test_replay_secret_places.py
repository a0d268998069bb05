"""Secrets in places that are spelled in unusual ways: parameters, passwords in texts, parts of forms, user ids."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from redacting import URL, asked

from streamcore.replay import REDACTED, Capture, CapturedRequest, Chunk, write_captures

SECRET = "zq9XsecretV4lue"


def text_of(*texts: str) -> Capture:
    return asked(body=json.dumps({"messages": texts}).encode())


def written(tmp_path: Path, capture: Capture) -> str:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture])
    return path.read_text()


def check_taken_out(tmp_path: Path, capture: Capture, secret: str = SECRET) -> None:
    text = written(tmp_path, capture)
    assert secret not in text
    assert REDACTED in text


@pytest.mark.parametrize("place", ["?user/api_key=", "?a=1&user/api_key=", "#/access_token=", "?/token="])
def test_the_name_of_a_parameter_may_have_a_slash(place: str, tmp_path: Path) -> None:
    url = f"{URL}{place}{SECRET}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    check_taken_out(tmp_path, asked(url=url))
    check_taken_out(tmp_path, asked(headers={"referer": url}))
    check_taken_out(tmp_path, Capture(headers={"location": url}))
    check_taken_out(tmp_path, text_of(f"see {url} for more"))
    check_taken_out(tmp_path, asked(headers=form, body=f"{place[1:]}{SECRET}".encode()))


def test_a_path_in_a_header_is_not_the_name_of_a_parameter(tmp_path: Path) -> None:
    text = written(tmp_path, asked(headers={"x-cache": "/session/list=4"}))
    assert "/session/list=4" in text


@pytest.mark.parametrize("password", ["pa(ss)w0rdlong", "pa'ssw0rdlong", "pa[ssw0rdlong", "p{a}ssw0rd|long"])
def test_the_password_of_a_url_in_a_text_may_have_any_character(password: str, tmp_path: Path) -> None:
    check_taken_out(tmp_path, text_of(f"it is postgres://me:{password}@db/x, or so"), password)


@pytest.mark.parametrize(
    "text", ["open('https://a.com','me@b.com')", "(https://a.com:80) me@b.com", "https://a.com:b/@c"]
)
def test_an_address_after_a_url_is_not_its_host(text: str, tmp_path: Path) -> None:
    assert text in written(tmp_path, text_of(text))


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"user_id": 123456789012345678}},
        {"metadata": {"user_id": [SECRET]}},
        {"metadata": {"user_id": {"a": SECRET}}},
        {"metadata": {"userId": SECRET}},
        {"Metadata": {"User-ID": SECRET}},
    ],
    ids=str,
)
def test_a_user_id_is_taken_out_whatever_its_type_and_spelling(fields: Any, tmp_path: Path) -> None:
    text = written(tmp_path, asked(body=json.dumps(fields).encode()))
    assert SECRET not in text
    assert "123456789012345678" not in text


@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: text/plain; name="a"\r\nContent-Disposition: form-data; name="api_key"',
        'Content-Disposition: form-data; name = "api_key"',
        'Content-Disposition: form-data; filename="name=x"; name="api_key"',
        "Content-Disposition: form-data; name=\"x\"; name*=utf-8''api_key",
    ],
)
@pytest.mark.parametrize("boundary", ["boundary=b", 'boundary = "b"'])
def test_any_name_of_a_part_of_a_form_may_be_the_telling_one(head: str, boundary: str, tmp_path: Path) -> None:
    body = f"--b\r\n{head}\r\n\r\n{SECRET}\r\n--b--\r\n"
    check_taken_out(tmp_path, asked(headers={"content-type": f"multipart/form-data; {boundary}"}, body=body.encode()))


@pytest.mark.parametrize(
    "written_as", ["s%3Aabc123/def456", "s%3Aabc123\\/def456", "s:abc123/def456", "s:abc123\\/def456"]
)
def test_a_secret_with_percent_escapes_is_found_with_json_escapes(written_as: str, tmp_path: Path) -> None:
    request = CapturedRequest(url=URL, headers={"cookie": "sid=s%3Aabc123/def456"})
    text = written(tmp_path, Capture(request=request, body=[Chunk(0, f'["{written_as}"]'.encode())]))
    assert "abc123" not in text


@pytest.mark.parametrize("between", [", ", ",", "\n"])
def test_several_cookies_in_one_value_are_all_known(between: str, tmp_path: Path) -> None:
    cookies = f"a=b; Path=/v1/messages; Expires=Wed, 21 Oct 2026 07:28:00 GMT{between}sid={SECRET}; HttpOnly"
    said = f"{SECRET} of /v1/messages"
    text = written(tmp_path, Capture(headers={"set-cookie": cookies}, body=[Chunk(0, said.encode())]))
    assert SECRET not in text
    assert "/v1/messages" in text


def test_the_password_of_basic_authorization_is_known_without_padding(tmp_path: Path) -> None:
    parameter = base64.b64encode(f"m:{SECRET}".encode()).decode()
    assert parameter.endswith("=")
    request = CapturedRequest(url=URL, headers={"authorization": f"Basic {parameter.rstrip('=')}"})
    assert SECRET not in written(tmp_path, Capture(request=request, body=[Chunk(0, SECRET.encode())]))


@pytest.mark.parametrize("name", ["api_key[]", "{token}", "user[api_key]", "a[b][token][]", "(secret)", "$token|"])
def test_the_name_of_a_parameter_of_a_url_in_a_text_may_have_brackets(name: str, tmp_path: Path) -> None:
    check_taken_out(tmp_path, text_of(f"see {URL}?a=1&{name}={SECRET}, or so"))
    check_taken_out(tmp_path, text_of(f"see ({URL}?{name}={SECRET})"))


def test_brackets_around_a_url_in_a_text_stay(tmp_path: Path) -> None:
    text = f"[see]({URL}?a=1) {{{URL}}} [x](y)=2"
    assert json.dumps(text)[1:-1] in json.loads(written(tmp_path, text_of(text)).splitlines()[0])["request"]["body"]


@pytest.mark.parametrize("before", ["q=(a)", "q='a'", "q[]=1", "q={a}|b"])
def test_a_parameter_of_a_url_in_a_text_may_come_after_any_character(before: str, tmp_path: Path) -> None:
    text = written(tmp_path, text_of(f"see (https://a.com/?{before}&api_key={SECRET}), or [b](https://a.com/)"))
    assert f"https://a.com/?{before}&api_key={REDACTED}), or [b](https://a.com/)" in text


def test_a_secret_parameter_in_a_text_may_have_brackets_after_its_name(tmp_path: Path) -> None:
    check_taken_out(tmp_path, text_of(f"see https://a.com/?api_key[]={SECRET}"))


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"authorization": f"Basic {base64.b64encode(f'{SECRET}:'.encode()).decode()}"}},
        {"headers": {"authorization": f"Basic {base64.b64encode(f'{SECRET}:x-oauth-basic'.encode()).decode()}"}},
        {"headers": {"referer": f"https://{SECRET}:x-oauth-basic@a.com/"}},
        {"headers": {"cookie": SECRET}},
        {"headers": {"cookie": f"a=b; {SECRET}"}},
        {"headers": {"x-api-key": f"{SECRET}, another"}},
        {"url": f"{URL}?api_key=%22{SECRET}%22"},
        {"url": f"{URL}?api_key=={SECRET}"},
        {"url": f"{URL};jsessionid={SECRET}?a=b"},
        {"url": f"{URL};jsessionid={SECRET};b=c"},
    ],
    ids=str,
)
def test_a_secret_with_something_around_it_is_known_without(fields: Any, tmp_path: Path) -> None:
    capture = asked(**fields).with_body(lambda _: [Chunk(0, f"it is {SECRET}".encode())])
    check_taken_out(tmp_path, capture)


def test_a_body_may_be_another_than_its_content_type_says(tmp_path: Path) -> None:
    """As in HAR files: a multipart form as parameters without a text, or without its type among the headers."""
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    part = f'Content-Disposition: form-data; name="api_key"\r\n\r\n{SECRET}'
    for headers, body in (
        (multipart, f"api_key={SECRET}&a=1"),
        (multipart, f"see https://a/?api_key={SECRET}\r\n\r\nb"),
        (multipart, f"--x\r\nsee https://a/?api_key={SECRET}\r\n--x--"),
        (multipart, json.dumps({"api_key": SECRET, "text": f"--x {SECRET}"})),
        ({}, f"--x\r\n{part}\r\n--x--\r\n"),
        ({}, f"--y\n{part}\r\n--y\r\nContent-Type: a\r\n\r\nb\r\n--y--\r\n"),
        ({}, f"-- a\nsee https://a/?api_key={SECRET}\n\nb"),
        ({}, f"a preamble\r\n--x\r\n{part}\r\n--x--\r\n"),
        (multipart, f"--y\r\n{part}\r\n--y--\r\n"),
        ({"content-type": 'multipart/form-data; boundary="x "'}, f"--x\r\n{part}\r\n--x--\r\n"),
        ({"content-type": "multipart/form-data; x-boundary=a; boundary=x"}, f"--x\r\n{part}\r\n--x--\r\n"),
    ):
        check_taken_out(tmp_path, asked(headers=headers, body=body.encode()))


@pytest.mark.parametrize("parameter", ['access_token="%s"', 'a="b",Api-Key = "%s"', r'token="a\"%s"'])
def test_a_parameter_in_a_header_may_have_quotes(parameter: str, tmp_path: Path) -> None:
    headers = {"www-authenticate": f'Bearer realm="api", {parameter % SECRET}, error="invalid"'}
    check_taken_out(tmp_path, asked(headers=headers))
    text = written(tmp_path, Capture(headers=headers))
    assert SECRET not in text
    assert r"realm=\"api\"" in text
    assert r"error=\"invalid\"" in text


@pytest.mark.parametrize("name", ["x-portkey-config", "x-api-key"])
def test_a_header_may_be_json(name: str, tmp_path: Path) -> None:
    for value in ({"provider": "a", "api_key": SECRET}, [{"headers": {"Authorization": f"Bearer {SECRET}"}}]):
        headers = {name: json.dumps(value)}
        echo = (Chunk(0.0, f'{{"text":"{SECRET}"}}'.encode()),)
        check_taken_out(tmp_path, attrs.evolve(asked(headers=headers), body=echo))
        check_taken_out(tmp_path, Capture(headers=headers, body=echo))


@pytest.mark.parametrize(
    "value",
    [
        '{"api_key":"%s"}, {"a":1}',
        '{"api_key":"%s",}',
        '\ufeff{"api_key":"%s"}',
        '{"a":' + "1" * 5000 + ',"api_key":"%s"}',
    ],
)
def test_a_header_that_looks_like_json_and_cannot_be_read_is_taken_out_whole(value: str, tmp_path: Path) -> None:
    check_taken_out(tmp_path, asked(headers={"x-portkey-config": value % SECRET}))


@pytest.mark.parametrize("value", ["[::1]:80", "[1] https://a", "{a}", '{"a":[1,2]}', "[" * 3000 + "]" * 3000, "[]"])
def test_a_header_that_looks_like_json_stays_if_it_has_no_secret(value: str, tmp_path: Path) -> None:
    text = written(tmp_path, asked(headers={"x-a": value}))
    assert json.dumps(value)[1:-1] in text or (len(value) > 1000 and REDACTED in text)
