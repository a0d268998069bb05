"""What the httpx adapter makes of an environment that names proxies no client can be made with."""

from __future__ import annotations

import gc
import logging
import traceback
from typing import Any

import pytest
from server import ASK

import streamcore.httpx as anthropic

CLIENTS = pytest.mark.parametrize("make", [anthropic.Anthropic, anthropic.AsyncAnthropic])


@CLIENTS
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("http_proxy", "http://me:a/secret@127.0.0.1:1", "InvalidURL"),
        ("http_proxy", "http://127.0.0.1:x", "Invalid port: 'x'"),
        ("all_proxy", "gopher://me:secret@127.0.0.1:1", r"gopher://\*\*\*@127"),
        ("all_proxy", "socks5://me:secret@127.0.0.1:1", "socksio"),
    ],
)
def test_an_environment_that_cannot_be_is_refused_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, make: Any, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING), pytest.raises(anthropic.InvalidArgumentError, match=said) as caught:
        make(api_key="key")
    shown = "".join(traceback.format_exception(caught.value))
    assert "me:" not in shown
    assert "'a'" not in shown
    del caught
    gc.collect()
    assert not caplog.records


def test_a_url_that_cannot_be_is_shown_without_its_password() -> None:
    url = "http://me:secret@xn--\xfc.test"
    with anthropic.Anthropic(api_key="key", base_url=url) as client:
        with pytest.raises(anthropic.InvalidArgumentError, match=r"//\*\*\*@xn--") as caught:
            client.messages.create(**ASK)
        assert "secret" not in str(caught.value)
