"""Habits with clients: their options, their life, tests with mocks, retries, logging."""

from __future__ import annotations

import inspect
import logging
import os
from typing import Any
from unittest import mock

import httpx2
from habits import Area, Package, asking
from habits_messages import MESSAGE
from server import Reply, error_reply, json_reply

clients = Area("Clients")
logs = Area("Logging")


@clients.same
def options(at: Package) -> Any:
    """`client.api_key`, `base_url`, `max_retries`, `auth_token`, `timeout`"""
    client = at.new(timeout=3.0, max_retries=4)
    return client.api_key, str(client.base_url).rstrip("/"), client.max_retries, client.auth_token, client.timeout


@clients.same
def defaults(at: Package) -> Any:
    """`DEFAULT_TIMEOUT`, `DEFAULT_MAX_RETRIES`, `DEFAULT_CONNECTION_LIMITS`"""
    module = at.module
    return module.DEFAULT_TIMEOUT.read, module.DEFAULT_MAX_RETRIES, module.DEFAULT_CONNECTION_LIMITS.max_connections


@clients.same
def environment(at: Package) -> Any:
    """`ANTHROPIC_API_KEY`, `ANTHROPIC_AUTH_TOKEN`, `ANTHROPIC_BASE_URL`"""
    given = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/x"}
    with mock.patch.dict(os.environ, given):
        client = at.module.Anthropic()
        return client.api_key, str(client.base_url).rstrip("/")


@clients.same
def auth_token(at: Package) -> Any:
    """`auth_token=`: the header `authorization`"""
    with at.new(api_key=None, auth_token="t") as client:
        client.messages.create(**asking())
    sent = at.server.requests[-1].headers
    return sent.get("authorization"), sent.get("x-api-key")


@clients.same
def with_options(at: Package) -> Any:
    """`client.with_options(max_retries=1, timeout=2)`, `client.copy(api_key="other")`"""
    client = at.client.with_options(max_retries=1, timeout=2)
    at.client.copy(api_key="other").messages.create(**asking())
    return client.max_retries, client.timeout, at.server.requests[-1].headers["authorization"]


@clients.same
def default_headers(at: Package) -> Any:
    """`default_headers=`, `default_query=`"""
    with at.new(default_headers={"x-a": "1"}, default_query={"q": "2"}) as client:
        client.messages.create(**asking())
        return at.server.requests[-1].headers["x-a"], at.server.requests[-1].query, client.default_headers["x-a"]


@clients.same
def http_client(at: Package) -> Any:
    """`http_client=httpx2.Client(transport=...)`, `DefaultHttpxClient(...)`"""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=MESSAGE))
    found = []
    for http in (httpx2.Client(transport=transport), at.module.DefaultHttpxClient(transport=transport)):
        with at.new(http_client=http) as client:
            found.append(client.messages.create(**asking()).content[0].text)
    return found


@clients.same
def timeout(at: Package) -> Any:
    """`timeout=Timeout(10, connect=2)`"""
    with at.new(timeout=at.module.Timeout(10, connect=2)) as client:
        return client.messages.create(**asking()).role, client.timeout.connect


@clients.same
def closed(at: Package) -> Any:
    """`with Anthropic() as client`, `client.is_closed()`, `client.close()`"""
    with at.new() as client:
        before = client.is_closed()
    client.close()
    return before, client.is_closed()


@clients.same
async def async_client(at: Package) -> Any:
    """`async with AsyncAnthropic() as client`, `await client.messages.create(...)`"""
    async with at.module.AsyncAnthropic(api_key="key", base_url=at.server.url) as client:
        message = await client.messages.create(**asking())
    return message.content[0].text, client.is_closed()


@clients.same
def one_resource(at: Package) -> Any:
    """`client.messages is client.messages`"""
    return at.client.messages is at.client.messages, at.client.beta.messages is at.client.beta.messages


@clients.same
def patched(at: Package) -> Any:
    """`mock.patch.object(client.messages, "create", return_value=...)` in a program's tests"""
    with mock.patch.object(at.client.messages, "create", return_value="mocked"):
        return at.create()


@clients.same
def specified(at: Package) -> Any:
    """`MagicMock(spec=Anthropic)`, `create_autospec(client)`"""
    spec = mock.MagicMock(spec=at.module.Anthropic)
    spec.messages.create.return_value = 3
    automatic = mock.create_autospec(at.client, instance=True)
    automatic.messages.create.return_value = 4
    return spec.messages.create(), automatic.messages.create(**asking()), isinstance(spec, at.module.Anthropic)


@clients.same
def subclass(at: Package) -> Any:
    """A subclass of `Anthropic` with an `__init__` of its own"""
    base = at.module.Anthropic

    class Client(base):  # type: ignore[misc, valid-type]
        def __init__(self, **options: Any) -> None:
            super().__init__(**{"api_key": "mine", **options})

    with Client(base_url=at.server.url) as client:
        client.messages.create(**asking())
        copied = client.with_options(max_retries=1)
    return at.server.requests[-1].headers["authorization"], type(copied) is Client


@clients.same
def client_signature(at: Package) -> Any:
    """`inspect.signature(Anthropic)`: the options that an editor shows"""
    names = ["api_key", "auth_token", "base_url", "timeout", "max_retries", "default_headers", "http_client"]
    parameters = inspect.signature(at.module.Anthropic).parameters
    return [name in parameters for name in names]


@clients.same
def no_key(at: Package) -> Any:
    """No key: an error before anything is sent"""
    with mock.patch.dict(os.environ):
        os.environ.pop("ANTHROPIC_API_KEY", None)
        try:
            with at.module.Anthropic(base_url=at.server.url) as client:
                client.messages.create(**asking())
        except Exception:  # noqa: BLE001  # which class it is depends on the version
            return len(at.server.requests)
    return "accepted"


@clients.same
def retries(at: Package) -> Any:
    """`max_retries=1` after 429, 500 and 529; `retry-after-ms`"""
    found = []
    for status in (429, 500, 529, 408, 409):
        at.server.requests.clear()
        at.server.reply(error_reply(status, headers={"retry-after-ms": "1"}))
        text = at.client.with_options(max_retries=1).messages.create(**asking()).content[0].text[:3]
        found.append((status, text, len(at.server.requests)))
    return found


@clients.same
def no_retry(at: Package) -> Any:
    """`x-should-retry: false` in the answer"""
    at.server.reply(error_reply(500, headers={"x-should-retry": "false"}))
    try:
        at.client.with_options(max_retries=1).messages.create(**asking())
    except at.module.InternalServerError:
        return len(at.server.requests)
    return "accepted"


@clients.different("headers for statistics are not sent")
def retry_count(at: Package) -> Any:
    """The header `x-stainless-retry-count` of the second try"""
    at.server.reply(error_reply(500, headers={"retry-after-ms": "1"}))
    at.client.with_options(max_retries=1).messages.create(**asking())
    return [request.headers.get("x-stainless-retry-count") for request in at.server.requests]


@clients.different("a server must not stop a program for hours")
def long_retry_after(at: Package) -> Any:
    """`retry-after: 3600` in an answer: the seconds until the next try, if they are more than a minute"""
    at.server.reply(error_reply(529, headers={"retry-after": "3600"}))
    with mock.patch("time.sleep") as sleep:
        at.client.with_options(max_retries=1).messages.create(**asking())
    return [call.args[0] if call.args[0] > 60 else "less" for call in sleep.mock_calls if call.args]


@clients.different("the key and the prompt would go along")
def redirect(at: Package) -> Any:
    """A redirect to another origin"""
    elsewhere = at.server.url.replace("127.0.0.1", "localhost")
    at.server.reply(Reply(status=307, headers={"location": f"{elsewhere}/v1/messages"}))
    return at.create().role


# Logging


class _Collecting(logging.Handler):
    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())


def logged(at: Package) -> list[str]:
    """Return what is logged about a request that is repeated."""
    texts: list[str] = []
    handler, logger = _Collecting(texts), logging.getLogger(at.module.__name__.partition(".")[0])
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        at.server.reply(error_reply(529, headers={"retry-after-ms": "1"}), json_reply(MESSAGE))
        at.client.with_options(max_retries=1, api_key="sk-very-secret").messages.create(**asking())
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return texts


@logs.same
def retry_is_logged(at: Package) -> Any:
    """A repeated request is logged, by `logging.getLogger("anthropic")` there and `"streamcore"` here"""
    return any("retr" in text.lower() for text in logged(at))


@logs.same
def no_secrets(at: Package) -> Any:
    """Keys are not logged"""
    return any("sk-very-secret" in text for text in logged(at))
