"""A LiteLLM proxy in a process of its own, in front of a scripted upstream.

LiteLLM has some two hundred dependencies, many of them pinned, so it lives in a virtual environment of its own:

    python -m venv ~/litellm && ~/litellm/bin/pip install -r tests/proxies/litellm.txt
    STREAMCORE_LITELLM=~/litellm/bin/litellm pytest tests/proxies

`.ci/run` does this. Without the variable, a `litellm` on PATH is used; without either, the tests are skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from processes import free_port
from server import Server, serving

PROGRAM = os.environ.get("STREAMCORE_LITELLM") or shutil.which("litellm")

needs_litellm = pytest.mark.skipif(
    PROGRAM is None, reason="LiteLLM is not installed: tests/proxies/litellm_proxy.py says how"
)

CHAT = "chat"
"""The model that LiteLLM translates: its upstream speaks OpenAI's chat completions."""

MESSAGES = "messages"
"""The model that LiteLLM passes through: its upstream speaks the Messages API."""

_START_BOUND = 120  # seconds: importing LiteLLM alone takes five on a fast machine
_STOP_BOUND = 20


@attrs.frozen
class Proxy:
    """A LiteLLM proxy that is running.

    Attributes:
        url: Where it listens.
        key: The API key that it accepts.
        upstream: The server that it asks for both models.
    """

    url: str
    key: str
    upstream: Server


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Proxy]:
    """Run a LiteLLM proxy while the `with` block is open. `folder` is its home: configuration and log."""
    assert PROGRAM is not None
    with serving() as upstream:
        port = free_port()
        proxy = Proxy(f"http://127.0.0.1:{port}", f"sk-{secrets.token_hex(24)}", upstream)
        config = folder / "config.yaml"
        config.write_text(json.dumps(_config(proxy)), encoding="utf-8")  # JSON is YAML
        command = [PROGRAM, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        log = folder / "litellm.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=_environment(folder), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            _wait_until_ready(proxy, process, log)
            yield proxy
        finally:
            process.terminate()
            try:
                process.wait(_STOP_BOUND)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _config(proxy: Proxy) -> dict[str, object]:
    # `openai/` would ask the upstream for /v1/responses; `hosted_vllm/` asks for /v1/chat/completions.
    chat = {"model": "hosted_vllm/scripted", "api_base": f"{proxy.upstream.url}/v1"}
    messages = {"model": "anthropic/scripted", "api_base": proxy.upstream.url}
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {**parameters, "api_key": "upstream-key", "max_retries": 0}}
            for name, parameters in {CHAT: chat, MESSAGES: messages}.items()
        ],
        "general_settings": {"master_key": proxy.key},
        # Each request of a test is one request to the upstream, whatever became of those before.
        "litellm_settings": {"num_retries": 0, "request_timeout": 20},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which LiteLLM reaches nothing but loopback, and finds no settings of the user's."""
    nowhere = "http://127.0.0.1:1"
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        # Else it loads these from GitHub when it starts.
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
        "LITELLM_LOCAL_BLOG_POSTS": "True",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
        "LITELLM_MODE": "PRODUCTION",  # no .env files
        "LITELLM_TELEMETRY_DISABLED": "True",
        # A request that is missed above fails at once.
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
    }


def _wait_until_ready(proxy: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_BOUND
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), opener.open(f"{proxy.url}/health/liveliness", timeout=5):
            return
        time.sleep(0.2)
    state = f"did not start in {_START_BOUND} s" if process.poll() is None else f"ended with {process.returncode}"
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    pytest.fail(f"{PROGRAM} {state}:\n{tail}", pytrace=False)
