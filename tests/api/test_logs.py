"""Logs of calls have retries and failures, and nothing that is secret."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, body
from server import ASK, Cut, Reply, error_reply, serving, stream_reply

import streamcore.httpx as ours
from streamcore.api.logs import set_up_logging

SECRET = "sk-secret"
ASKED: dict[str, Any] = {**ASK, "system": SECRET, "extra_headers": {"x-api-key": SECRET}, "extra_query": {"q": SECRET}}


@each_adapter
def test_retries_and_failures_are_logged_without_keys_and_contents(adapter: Adapter, caplog: Any) -> None:
    retried = error_reply(529, "overloaded_error", SECRET, headers={"retry-after-ms": "1", "x-secret": SECRET})
    with serving(retried, Reply(head=[Cut()]), stream_reply(body(*HELLO)), error_reply(400, message=SECRET)) as server:
        url = server.url
        if adapter.module is ours:  # aiohttp takes credentials from one place only
            url = url.replace("//", f"//{SECRET}:{SECRET}@")

        async def use() -> None:
            async with adapter.client(server, api_key=SECRET, base_url=url) as client:
                async with client.messages.stream(**ASKED) as stream:
                    await stream.until_done()
                with pytest.raises(ours.BadRequestError):
                    await client.messages.create(**ASKED)

        with caplog.at_level(logging.DEBUG, logger="streamcore"):
            adapter.run(use)
    records = [each for each in caplog.records if each.name.startswith("streamcore")]
    assert [each.levelname for each in records] == [
        *("DEBUG", "DEBUG", "INFO"),  # sent, answered, tried again
        *("DEBUG", "INFO"),  # no answer, tried again
        *("DEBUG", "DEBUG"),  # a stream
        *("DEBUG", "DEBUG", "INFO"),  # refused
    ]
    texts = [each.getMessage() for each in records]
    assert SECRET not in " ".join(texts)
    assert "failed with OverloadedError (status 529, request id req_1): retry 1 of 2 in 0.00 seconds" in texts[2]
    assert "APIConnectionError" in texts[4]
    assert "retry 2 of 2" in texts[4]
    assert texts[-1].endswith("/v1/messages failed with BadRequestError (status 400, request id req_1)")


def test_the_environment_turns_logging_on(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("streamcore")
    levels = {"": logging.NOTSET, "nonsense": logging.NOTSET, "info": logging.INFO, "DEBUG": logging.DEBUG}
    for value, level in levels.items():
        monkeypatch.setenv("STREAMCORE_LOG", value)
        try:
            set_up_logging()
            assert logger.level == level
        finally:
            logger.setLevel(logging.NOTSET)


@pytest.mark.slow  # it starts a process
def test_a_program_logs_to_stderr() -> None:
    with serving(always=error_reply(400, message=SECRET)) as server:
        code = f"""
import streamcore.httpx as anthropic
try:
    anthropic.Anthropic(api_key={SECRET!r}, base_url={server.url!r}).messages.create(**{ASK!r})
except anthropic.BadRequestError:
    pass
"""
        command, environment = [sys.executable, "-c", code], {"STREAMCORE_LOG": "info"}
        program = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert "INFO streamcore.api.logs: " in program.stderr
    assert "failed with BadRequestError" in program.stderr
    assert SECRET not in program.stderr
