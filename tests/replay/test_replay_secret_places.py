"""Secrets in places that are spelled in unusual ways: parameters, passwords in texts, parts of forms, user ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamcore.replay import REDACTED, Capture, CapturedRequest, write_captures

URL = "https://api.anthropic.com/v1/messages"
SECRET = "zq9XsecretV4lue"


def asked(**fields: Any) -> Capture:
    return Capture(request=CapturedRequest(url=fields.pop("url", URL), **fields))


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
