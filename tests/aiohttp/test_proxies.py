"""Which hosts go without the proxy that the environment names: the same ones in all adapters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, body, by_frame
from server import ASK, Server, serving, stream_reply

from streamcore.aiohttp.proxies import proxy_for


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=stream_reply(*by_frame(body(*HELLO)))) as server:
        yield server


@each_adapter
@pytest.mark.parametrize(
    ("no_proxy", "exempt"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:PORT", True),
        ("127.0.0.1:1", False),
        ("127.0.0.0/8", True),
        ("other.example, 127.0.0.1/30", True),
        ("10.0.0.0/8,::/0", False),
        ("127.0.0.0/99", False),
        ("other.example, *", True),
        ("*.0.0.2", False),
    ],
)
def test_addresses_that_need_no_proxy(
    server: Server, adapter: Adapter, monkeypatch: pytest.MonkeyPatch, no_proxy: str, exempt: bool
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", no_proxy.replace("PORT", server.url.rpartition(":")[2]))

    async def main() -> None:
        async with adapter.client(server) as client, client.messages.stream(**ASK) as stream:
            assert await stream.get_final_text() == "Hello"

    adapter.run(main)
    # The target of a request to a proxy is a whole URL.
    assert server.requests[0].target.startswith("/") is exempt


@pytest.mark.parametrize(
    ("url", "no_proxy", "exempt"),
    [
        ("https://api.example.com", "*.example.com", True),
        ("https://API.EXAMPLE.com", "*.Example.com", True),
        ("https://example.com", "*.example.com", False),
        ("https://apiexample.com", "*.example.com", False),
        ("https://api.example.com", "example.com", True),
        ("https://[fe80::7]:8443", "fe80::/10", True),
        ("https://[fe80::7]:8443", "[fe80::7]", True),
        ("https://[2001:db8::7]", "fe80::/10,10.0.0.0/8,", False),
        ("https://10.1.2.3.example.com", "10.0.0.0/8", False),
        ("https://api.example.com", "", False),
    ],
)
def test_hosts_that_need_no_proxy(monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, exempt: bool) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:8080")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_for(url) == (None if exempt else "http://proxy.test:8080")
