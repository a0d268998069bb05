"""Import paths of the `anthropic` package below the adapters, and what is said about names that are missing."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import anthropic
import anthropic.types.beta
import official
import pytest

import streamcore.aiohttp
import streamcore.httpx
import streamcore.types.beta
from streamcore import types
from streamcore.types import WireObject

ADAPTERS = ("streamcore.httpx", "streamcore.aiohttp")
# What programs import, by a search of public code.
IMPORTS = {
    "types": "Message MessageParam TextBlock ToolUseBlock RawMessageStreamEvent MessageCreateParams ToolParam Model",
    "types.beta": "BetaMessage BetaTextBlock BetaMessageParam BetaRawMessageStreamEvent BetaRawContentBlockDeltaEvent",
    "types.message": "Message",
    "types.message_param": "MessageParam",
    "types.message_create_params": "MessageCreateParamsNonStreaming MessageCreateParamsStreaming MessageCreateParams",
    "types.raw_content_block_delta_event": "RawContentBlockDeltaEvent",
    "types.raw_message_delta_event": "Delta RawMessageDeltaEvent",
    "types.text_block_param": "TextBlockParam",
    "types.tool_choice_param": "ToolChoiceParam",
    "types.tool_union_param": "ToolUnionParam",
    "types.usage": "Usage",
    "types.model": "Model",
    "types.beta.beta_message": "BetaMessage",
    "types.beta.beta_message_param": "BetaMessageParam",
    "types.beta.beta_tool_use_block": "BetaToolUseBlock",
    "types.beta.parsed_beta_message": "ParsedBetaMessage",
    "lib.streaming": "MessageStream AsyncMessageStream MessageStreamManager TextEvent InputJsonEvent BetaMessageStream",
    "lib.streaming._messages": "MessageStreamManager AsyncMessageStreamManager",
    "lib.streaming._types": "MessageStopEvent ContentBlockStopEvent",
    "_types": "NOT_GIVEN NotGiven Omit Headers Query Body",
    "_exceptions": "APIError APIStatusError OverloadedError RateLimitError",
    "_streaming": "Stream AsyncStream ServerSentEvent",
    "_response": "APIResponse AsyncAPIResponse",
    "_client": "AsyncAnthropic",
    "_constants": "DEFAULT_TIMEOUT DEFAULT_MAX_RETRIES",
    "_version": "__version__",
    "resources": "Messages AsyncMessages",
    "resources.messages": "Messages AsyncMessages MessagesWithRawResponse",
    "resources.messages.messages": "Messages",
    "resources.beta.messages": "AsyncMessages",
}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_paths_resolve_to_the_names_of_the_package(adapter: str) -> None:
    for path, names in IMPORTS.items():
        theirs, ours = (importlib.import_module(f"{root}.{path}") for root in ("anthropic", adapter))
        for name in names.split():
            assert getattr(theirs, name, None) is not None, (path, name)
            value = getattr(ours, name)
            assert value is not None
            if isinstance(value, type) and issubclass(value, WireObject):
                assert vars(sys.modules[value.__module__])[value.__name__] is value  # no class exists twice
    module: Any = importlib.import_module(adapter)
    assert module.types.beta.BetaMessage is module.types.message.Message is types.Message
    assert module.resources.messages.Messages is type(streamcore.httpx.Anthropic(api_key="key").messages)
    assert {"Message", "MessageParam"} <= set(dir(module.types))
    namespace: dict[str, Any] = {}
    for path in ("types", "types.beta", "lib.streaming", "resources.messages"):
        exec(f"from {adapter}.{path} import *", namespace)
    assert {"Message", "BetaMessage", "MessageStream", "Messages", "MessageCreateParams"} <= namespace.keys()
    block = namespace["TextBlock"](text="hello")
    assert pickle.loads(pickle.dumps(block)) == block
    with mock.patch(f"{adapter}.resources.messages.Messages.create", return_value="patched"):
        assert streamcore.httpx.Anthropic(api_key="key").messages.create() == "patched"  # type: ignore[call-overload]


def test_beta_types_have_all_names_that_both_packages_have() -> None:
    stub = (Path(types.__file__).parent / "beta.pyi").read_text()
    listed = dict(re.findall(r"^(\w+)(?:: TypeAlias)? = types\.(\w+)$", stub, flags=re.MULTILINE))
    module: Any = streamcore.types.beta
    for name, ours in listed.items():
        assert getattr(module, name) == getattr(types, ours)
        assert name in module.__all__
    both = {name for name in dir(anthropic.types.beta) if name.startswith("Beta") and hasattr(module, name)}
    missing = both - listed.keys()
    assert not missing, f"add these names to types/beta.pyi: {sorted(missing)}"
    models = official.models(anthropic.types.beta.BetaRawMessageStreamEvent)
    models |= official.models(anthropic.types.beta.BetaContentBlock)
    # Blocks of tools that only browsers and computers in a box need have no class here.
    assert {model.__name__ for model in models if "ToolUseBlock" not in model.__name__} <= both


MISSING = """
from {} import AnthropicBedrock
from {} import AnthropicVertex, AsyncAnthropicFoundry
from {}.lib.bedrock import AnthropicBedrock
import {}.lib.vertex
import {}.types.messages.batch_create_params
from {}.types import MessageBatch
from {}.types.beta import BetaManagedAgentsSession
from {}.resources.models import Models
from {} import beta_tool
{}.beta_tool
{}.AnthropicBedrock
{}.AsyncAnthropic(api_key="key").models
{}.AsyncAnthropic(api_key="key").beta.files
{}.AsyncAnthropic(api_key="key").messages.count_tokens
{}.AsyncAnthropic(api_key="key").messages.with_raw_response.count_tokens
{}.AsyncAnthropic(api_key="key").messages.batches
{}.AsyncAnthropic(api_key="key").beta.messages.tool_runner
{}.AsyncAnthropic(api_key="key").with_raw_response.models
"""


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_is_missing_says_what_has_it(adapter: str) -> None:
    module = importlib.import_module(adapter)
    for line in MISSING.strip().splitlines():
        is_import = "import" in line
        with pytest.raises(ImportError if is_import else AttributeError) as caught:
            exec(line.format(adapter), {"streamcore": streamcore})
        assert "the anthropic package has" in str(caught.value), line
        assert "\n" not in str(caught.value)
    client = module.AsyncAnthropic(api_key="key")
    assert not hasattr(client, "models")
    assert not hasattr(client.messages, "count_tokens")
    assert not hasattr(module, "AnthropicBedrock")
    for line in (f"from {adapter} import nonsense", f"import {adapter}.nonsense"):
        with pytest.raises(ImportError, match="nonsense"):
            exec(line)
    with pytest.raises(AttributeError, match="attrs"):
        module.BaseModel  # noqa: B018
    with pytest.raises(AttributeError, match="'AsyncAnthropic' object has no attribute 'mesages'"):
        client.mesages  # noqa: B018
    with pytest.raises(AttributeError, match=r"streamcore\.httpx has the sync client"):
        streamcore.aiohttp.Anthropic  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.slow  # it starts a process
def test_an_import_of_the_paths_alone_works() -> None:
    code = "from streamcore.httpx.types.beta.beta_message import BetaMessage; print(BetaMessage.__module__)"
    program = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert program.stdout.strip() == "streamcore.types.message"
