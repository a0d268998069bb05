"""The arguments of a call to method, URL, headers and body."""

from __future__ import annotations

import enum
import json
from typing import Any

import pytest
from helpers import STOP, block_start, block_stop, body, frame, message_delta, start, text
from hypothesis import given

from streamcore import Message, MessageEngine
from streamcore.api.client import BaseClient
from streamcore.api.json_body import json_body
from streamcore.api.options import NOT_GIVEN, omit
from streamcore.api.request import Request, build_request, merge_headers
from streamcore.errors import InvalidArgumentError
from streamcore.testing.strategies import json_values
from streamcore.types import TextBlock, ThinkingBlock, ToolUseBlock, Usage

ASK: dict[str, Any] = {"model": "claude-1", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def build(path: str = "/v1/messages", *, stream: bool = False, **fields: Any) -> Request:
    defaults: dict[str, Any] = {
        "base_url": "https://api.test",
        "credentials": {"authorization": "Bearer key"},
        "default_headers": {},
        "default_query": {},
        "params": ASK,
    }
    return build_request(path, stream=stream, **{**defaults, **fields})


def body_of(**params: Any) -> Any:
    return json.loads(build(params={**ASK, **params}).body)


def test_a_request_for_a_message() -> None:
    request = build()
    assert request.method == "POST"
    assert request.url == "https://api.test/v1/messages"
    assert json.loads(request.body) == ASK
    assert request.headers.pop("user-agent").startswith("streamcore/")
    assert request.headers == {
        "accept": "application/json",
        "anthropic-version": "2026-10-21",
        "authorization": "Bearer key",
        "content-type": "application/json",
    }


def test_a_request_for_a_stream_says_so_in_its_body() -> None:
    request = build(stream=True)
    assert json.loads(request.body) == {**ASK, "stream": True}
    assert request.headers == build().headers


@pytest.mark.parametrize(
    ("base_url", "path", "query", "url"),
    [
        ("https://a.test", "/v1/m", {}, "https://a.test/v1/m"),
        ("https://a.test/", "/v1/m", {}, "https://a.test/v1/m"),
        ("http://a.test:80/proxy/", "/v1/m", {}, "http://a.test:80/proxy/v1/m"),
        ("https://a.test", "/v1/m?beta=true", {}, "https://a.test/v1/m?beta=true"),
        ("https://a.test", "/v1/m?beta=true", {"a": 1}, "https://a.test/v1/m?beta=true&a=1"),
        ("https://a.test", "/v1/m", {"a": True, "b": None, "c": "x y&z", "d": omit}, "https://a.test/v1/m?a=true&c=x%20y%26z"),
        ("https://a.test", "/v1/m", {"a": [1, None, 2], "b": {"c": False}}, "https://a.test/v1/m?a%5B%5D=1&a%5B%5D=2&b%5Bc%5D=false"),
    ],
)  # fmt: skip
def test_urls(base_url: str, path: str, query: dict[str, Any], url: str) -> None:
    assert build(path, base_url=base_url, default_query=query).url == url


def test_the_query_of_the_call_wins() -> None:
    assert build(default_query={"a": 1, "b": 2}, extra_query={"b": 3}).url.endswith("?a=1&b=3")


@pytest.mark.parametrize("query", [{"q": "\ud800"}, {"\ud800": "q"}])
def test_a_query_that_is_no_text_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="not Unicode"):
        build(extra_query=query)


def test_headers_of_the_call_win_whatever_their_case() -> None:
    request = build(
        default_headers={"X-One": "client", "X-Two": "client", "Anthropic-Version": "2024-01-01"},
        extra_headers={"x-two": "call"},
    )
    assert request.headers["x-one"] == "client"
    assert request.headers["x-two"] == "call"
    assert request.headers["anthropic-version"] == "2024-01-01"


def test_omit_removes_a_header() -> None:
    request = build(default_headers={"x-one": "client"}, extra_headers={"X-One": omit, "User-Agent": omit})
    assert not {"x-one", "user-agent"} & request.headers.keys()


def test_betas_become_a_header() -> None:
    assert build(betas=["one", "two"]).headers["anthropic-beta"] == "one,two"
    assert build(betas="one").headers["anthropic-beta"] == "one"
    assert "anthropic-beta" not in build(betas=NOT_GIVEN).headers
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for wrong in ([1], deep):
        with pytest.raises(InvalidArgumentError, match="betas"):
            build(betas=wrong)


def test_what_was_not_given_is_not_sent() -> None:
    assert body_of(system=NOT_GIVEN, tools=omit, stop_sequences=None) == {**ASK, "stop_sequences": None}


def test_parameters_from_tomorrow_are_sent() -> None:
    assert body_of(new_parameter={"deep": (1, 2)})["new_parameter"] == {"deep": [1, 2]}


def test_the_extra_body_wins() -> None:
    assert json.loads(build(extra_body={"model": "other", "more": 1}).body) == {**ASK, "model": "other", "more": 1}


MESSAGE = Message(
    id="msg_1",
    model="claude-1",
    content=[
        ThinkingBlock(thinking="hm", signature="sig"),
        TextBlock(text="hello"),
        ToolUseBlock(id="toolu_1", name="search", input={"q": [1, 10**30]}),
    ],
    usage=Usage(input_tokens=1, output_tokens=2),
)
CONTENT = [
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "text", "text": "hello"},
    {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"q": [1, 10**30]}},
]


@pytest.mark.parametrize(
    "turn",
    [
        MESSAGE,
        {"role": "assistant", "content": MESSAGE.content},
        {"role": "assistant", "content": list(MESSAGE.content)},
        {"role": "assistant", "content": (block for block in MESSAGE.content)},
        {"role": "assistant", "content": [block.to_dict() for block in MESSAGE.content]},
    ],
    ids=["message", "tuple", "list", "generator", "dicts"],
)
def test_an_answer_can_be_the_next_turn(turn: Any) -> None:
    sent = body_of(messages=[turn])["messages"]
    assert sent == [{"role": "assistant", "content": CONTENT}]


def test_our_types_are_accepted_anywhere() -> None:
    assert body_of(system=[TextBlock(text="be brief")])["system"] == [{"type": "text", "text": "be brief"}]


def test_an_answer_with_lone_surrogates_can_be_the_next_turn() -> None:
    engine = MessageEngine()
    escaped = json.dumps(text(0, "a\ud800b")).encode()
    engine.receive_data(body(start(), block_start(0), frame(escaped), block_stop(0), message_delta(), STOP))
    list(engine.events())
    content = engine.final_message.content
    assert content == [TextBlock(text="a\ud800b")]
    sent = build(params={**ASK, "messages": [{"role": "assistant", "content": content}]}).body
    assert rb'{"type":"text","text":"a\ud800b"}' in sent
    assert json.loads(sent)["messages"][0]["content"] == [{"type": "text", "text": "a\ud800b"}]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("\ud800", r'"\ud800"'),
        ("\udfff\ud800", r'"\udfff\ud800"'),
        ('"\\/\n\x00\x7f\u2028é😀\ud83d<', '"\\"\\\\/\\n\\u0000\x7f\u2028é😀\\ud83d<"'),
        ({"a": 1, "k\ud800": ["\udc00", {"b": None}], "é": 2}, r'{"a":1,"k\ud800":["\udc00",{"b":null}],"é":2}'),
        (["\ud800", 1e16, 0.1, 10**21, True, "é\t"], r'["\ud800",1e+16,0.1,1000000000000000000000,true,"é\t"]'),
    ],
)
def test_lone_surrogates_are_escaped_and_nothing_else_is(value: Any, encoded: str) -> None:
    assert json_body({"a": value, "b": "é"}).decode() == f'{{"a":{encoded},"b":"é"}}'
    assert json.loads(json_body({"a": value}))["a"] == value


class _Text(str):
    __slots__ = ()


class _Whole(int):
    pass


class _Real(float):
    pass


class _Color(enum.StrEnum):
    RED = "red"


def test_children_of_the_scalars_are_sent_as_what_they_are() -> None:
    value = {_Text("a"): _Text("b\ud800"), "c": [_Text("d"), _Whole(10**30), _Real(0.5), _Color.RED, True, None]}
    expected = {"a": "b\ud800", "c": ["d", 10**30, 0.5, "red", True, None]}
    assert json.loads(json_body(value)) == expected
    assert json_body(value) == json_body(expected)


@given(json_values())
def test_what_stands_beside_a_lone_surrogate_is_written_as_ever(value: Any) -> None:
    alone = json_body({"a": value})
    assert json_body({"a": value, "b": "\ud800"}) == alone[:-1] + rb',"b":"\ud800"}'


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"messages": [{"role": "user", "content": b"raw"}]}, r"messages\[0\]\.content is of type bytes.*base64"),
        ({"messages": [{"role": "user", "content": [{"x": object()}]}]}, r"messages\[0\]\.content\[0\]\.x is of type"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"metadata": {1: "a"}}, "metadata has the key 1"),
        ({"stop_sequences": {"a", "b"}}, "stop_sequences is of type set"),
    ],
)
def test_what_has_no_json_form_is_named_with_its_place(params: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidArgumentError, match=where):
        body_of(**params)


def test_a_body_that_nests_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidArgumentError, match="nests"):
        body_of(messages=endless)


@pytest.mark.parametrize("value", ["two\r\nlines", "naïve", " secret", "key\n", 7, b"bytes", "nul\0"])
def test_a_header_that_http_does_not_allow_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="x-api-key") as caught:
        merge_headers({"x-api-key": value})
    assert str(value) not in str(caught.value) or value == 7
    with pytest.raises(InvalidArgumentError, match="name of a header"):
        merge_headers({value: "fine"})


def test_without_credentials_nothing_is_built() -> None:
    with pytest.raises(InvalidArgumentError, match="ANTHROPIC_API_KEY"):
        build(credentials={})
    with pytest.raises(InvalidArgumentError, match="ANTHROPIC_API_KEY"):
        build(credentials={}, default_headers={"X-Api-Key": omit})
    with pytest.raises(InvalidArgumentError, match="ANTHROPIC_API_KEY"):
        build(default_headers={"Authorization": ""})
    assert "authorization" not in build(default_headers={"Authorization": omit}).headers
    assert build(credentials={}, extra_headers={"Authorization": "mine"}).headers["authorization"] == "mine"
    assert build(extra_headers={"Authorization": "mine"}).headers["authorization"] == "mine"


def test_an_api_key_in_a_header_of_its_own_is_sent_with_the_credentials_or_without() -> None:
    headers = build(default_headers={"X-Api-Key": "other"}).headers
    assert (headers["authorization"], headers["x-api-key"]) == ("Bearer key", "other")
    headers = build(credentials={}, default_headers={"X-Api-Key": "other"}).headers
    assert (headers.get("authorization"), headers["x-api-key"]) == (None, "other")


# Options of a client


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def headers_of(client: BaseClient) -> dict[str, str]:
    return client._call("/v1/messages", ASK, stream=True).request.headers


def test_credentials_come_from_arguments_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert headers_of(BaseClient(api_key="key"))["authorization"] == "Bearer key"
    assert headers_of(BaseClient(auth_token="token"))["authorization"] == "Bearer token"
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "env-token")
    assert headers_of(BaseClient())["authorization"] == "Bearer env-token"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "env-key")
    assert headers_of(BaseClient())["authorization"] == "Bearer env-key"
    assert headers_of(BaseClient(auth_token="token"))["authorization"] == "Bearer token"
    with pytest.raises(InvalidArgumentError, match="not both"):
        BaseClient(api_key="key", auth_token="token")


def test_an_empty_variable_of_the_environment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "")
    client = BaseClient()
    assert client.api_key is None
    assert client.base_url == "https://api.anthropic.com"


def test_the_base_url_comes_from_the_argument_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://env.test/")
    assert BaseClient().base_url == "http://env.test"
    assert BaseClient(base_url="http://mine.test").base_url == "http://mine.test"


@pytest.mark.parametrize(
    "url", ["api.test", "ftp://api.test", "https://", "http://[", "/v1", "http://api.test:99999", "http://api.test:x"]
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url"):
        BaseClient(base_url=url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("htps://me:secret@api.test", "htps://***@api.test"),
        ("me:secret@api.test/v1", "***@api.test/v1"),
        ("https://me:sec/ret@api.test", "https://***@api.test"),
        ("https://me:sec?ret@api.test", "https://***@api.test"),
        ("https://me:s@e@cret@api.test:x", "https://***@api.test:x"),
        ("https://me:sec[ret@api.test", "https://***@api.test"),
        ("https:/me:sec\nret@api.test", "***@api.test"),
        ("https://api.test:x", "https://api.test:x"),
    ],
)
def test_the_password_of_a_base_url_that_is_none_is_not_shown(url: str, shown: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        BaseClient(base_url=url)
    assert str(caught.value).endswith(f"not {shown!r}")


SECONDS: list[Any] = [0, -1.0, float("nan"), "5", True, [5], object()]


@pytest.mark.parametrize(
    "options",
    [
        *({"idle_timeout": seconds} for seconds in SECONDS),
        *({"timeout": seconds} for seconds in SECONDS),
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": "2"},
    ],
)
def test_options_out_of_range_are_refused_at_once(options: dict[str, Any]) -> None:
    name = next(iter(options))
    client = BaseClient(api_key="key")
    with pytest.raises(InvalidArgumentError, match=f"^{name} must"):
        BaseClient(**options)
    with pytest.raises(InvalidArgumentError, match=f"^{name} must"):
        client.with_options(**options)
    with pytest.raises(InvalidArgumentError, match=f"^{name} must"):
        client._call("/v1/messages", {**ASK, **options}, stream=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_key": 5}, "api_key must be a string, not of type int"),
        ({"auth_token": b"secret"}, "auth_token must be a string, not of type bytes"),
        ({"api_key": "secret\n"}, "the value of the header 'authorization'"),
        ({"default_headers": "secret"}, "default_headers must be a mapping, not of type str"),
        ({"default_headers": {"x-one": "secret\n"}}, "the value of the header 'x-one'"),
        ({"default_headers": {"x one": "1"}}, "'x one' cannot be the name of a header"),
        ({"default_query": 5}, "default_query must be a mapping, not of type int"),
        ({"base_url": "https://api.test/\ud800"}, "base_url must be"),
    ],
)
def test_options_that_no_request_could_be_made_with_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    for make in (BaseClient, BaseClient().copy):
        with pytest.raises(InvalidArgumentError) as caught:
            make(**options)
        assert str(caught.value).startswith(said)
        assert "secret" not in str(caught.value)


def test_headers_of_the_environment_that_no_request_could_be_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x one: 1")
    with pytest.raises(InvalidArgumentError, match="'x one'"):
        BaseClient()


def test_an_endless_idle_timeout_is_none() -> None:
    client = BaseClient(api_key="key", idle_timeout=float("inf"))
    assert client._call("/v1/messages", ASK, stream=True).idle_timeout is None


def test_a_copy_inherits_what_it_does_not_change() -> None:
    client = BaseClient(
        api_key="key",
        base_url="http://a.test",
        timeout=3,
        idle_timeout=4,
        max_retries=5,
        default_headers={"x-one": "1"},
        default_query={"q": "1"},
    )
    same = client.copy()
    assert vars(same) == vars(client)
    changed = client.with_options(timeout=None, max_retries=0, default_headers={"x-two": "2"}, default_query={"r": 2})
    assert changed.timeout is None
    assert changed.max_retries == 0
    assert changed.default_headers == {"x-one": "1", "x-two": "2"}
    assert changed.default_query == {"q": "1", "r": 2}
    assert changed.idle_timeout == 4
    assert client.default_headers == {"x-one": "1"}


def test_a_copy_with_other_credentials_has_only_those() -> None:
    changed = BaseClient(api_key="key").copy(auth_token="token")
    assert (changed.api_key, changed.auth_token) == (None, "token")


def test_a_call_changes_options_for_itself() -> None:
    client = BaseClient(api_key="key", timeout=3, idle_timeout=4, max_retries=5)
    call = client._call("/v1/messages", ASK, stream=True)
    assert (call.timeout, call.idle_timeout, call.max_retries) == (3, 4, 5)
    options: dict[str, Any] = {"timeout": None, "idle_timeout": None, "max_retries": 0}
    call = client._call("/v1/messages", {**ASK, **options}, stream=True)
    assert (call.timeout, call.idle_timeout, call.max_retries) == (None, None, 0)
    assert not options.keys() & json.loads(call.request.body).keys()
