"""A headless Chromium, driven by chromedriver (https://www.w3.org/TR/webdriver2): Debian's `chromium-driver`."""

from __future__ import annotations

import contextlib
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
from processes import free_port, running, wait_until

DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@attrs.frozen
class Browser:
    """A session with one window."""

    session: str

    def go(self, url: str) -> None:
        _call("POST", f"{self.session}/url", {"url": url})

    def reload(self) -> None:
        _call("POST", f"{self.session}/refresh", {})

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return _call("POST", f"{self.session}/execute/sync", {"script": f"return {script}", "args": []})


@contextlib.contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run a browser with a new profile in `folder` while the `with` block is open."""
    assert DRIVER is not None
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running([DRIVER, f"--port={port}"], folder, "chromedriver"):
        wait_until(lambda: _is_ready(url), "chromedriver has started")
        options = {"binary": CHROMIUM, "args": [*_FLAGS, f"--user-data-dir={folder / 'profile'}"]}
        capabilities = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        session = f"{url}/session/{_call('POST', f'{url}/session', capabilities)['sessionId']}"
        try:
            yield Browser(session)
        finally:
            _call("DELETE", session)


def _is_ready(url: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(_call("GET", f"{url}/status")["ready"])
    return False


def _call(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as response:
        return json.load(response)["value"]
