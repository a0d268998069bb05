"""Habits with names: import paths that programs use, and what streamcore does not do."""

from __future__ import annotations

import typing
from typing import Any

from habits import Area, Package

paths = Area("Import paths")
elsewhere = Area("Names that are not here")


def found(at: Package, module: str, *names: str) -> list[str]:
    return [name for name, value in zip(names, at.load(module, *names), strict=True) if value is not None]


@paths.same
def types_path(at: Package) -> Any:
    """`from anthropic.types import Message, MessageParam, TextBlock, ToolUseBlock, Usage, StopReason, Model, ...`"""
    names = "Message MessageParam TextBlock TextBlockParam ToolUseBlock ToolParam ToolResultBlockParam Usage StopReason"
    more = "Model ModelParam ContentBlock ContentBlockParam MessageStreamEvent RawMessageStreamEvent TextDelta"
    return found(at, "types", *names.split(), *more.split())


@paths.same
def beta_path(at: Package) -> Any:
    """`from anthropic.types.beta import BetaMessage, BetaMessageParam, BetaTextBlock, BetaToolUseBlock, ...`"""
    names = "BetaMessage BetaMessageParam BetaTextBlock BetaTextBlockParam BetaToolUseBlock BetaToolParam BetaUsage"
    more = "BetaContentBlock BetaContentBlockParam BetaRawMessageStreamEvent BetaRawMessageStartEvent BetaThinkingBlock"
    return found(
        at, "types.beta", *names.split(), *more.split(), "BetaCacheControlEphemeralParam", "BetaMCPToolUseBlock"
    )


@paths.same
def type_modules(at: Package) -> Any:
    """`from anthropic.types.message import Message`, `types.text_block`, `types.message_param`, `types.usage`"""
    return (
        found(at, "types.message", "Message")
        + found(at, "types.text_block", "TextBlock")
        + found(at, "types.tool_use_block", "ToolUseBlock")
        + found(at, "types.message_param", "MessageParam")
        + found(at, "types.usage", "Usage")
        + found(at, "types.model", "Model")
    )


@paths.same
def create_params(at: Package) -> Any:
    """`from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, ...Streaming`"""
    names = "MessageCreateParamsNonStreaming", "MessageCreateParamsStreaming", "MessageCreateParamsBase"
    return found(at, "types.message_create_params", *names) + found(at, "types", "MessageCreateParams")


@paths.same
def streaming_path(at: Package) -> Any:
    """`from anthropic.lib.streaming import MessageStream, AsyncMessageStream, TextEvent, InputJsonEvent, ...`"""
    names = (
        "MessageStream AsyncMessageStream MessageStreamManager AsyncMessageStreamManager MessageStreamEvent TextEvent"
    )
    more = "InputJsonEvent MessageStopEvent ContentBlockStopEvent BetaMessageStream BetaAsyncMessageStream"
    return found(at, "lib.streaming", *names.split(), *more.split())


@paths.same
def private_paths(at: Package) -> Any:
    """`from anthropic._types import NOT_GIVEN, NotGiven`, `anthropic._exceptions`, `anthropic._streaming`"""
    return (
        found(at, "_types", "NOT_GIVEN", "NotGiven", "Omit", "omit")
        + found(at, "_exceptions", "OverloadedError", "APIStatusError")
        + found(at, "_streaming", "Stream", "AsyncStream")
    )


@paths.same
def resources_path(at: Package) -> Any:
    """`from anthropic.resources.messages import Messages, AsyncMessages`, to annotate or to patch"""
    names = at.load("resources.messages", "Messages", "AsyncMessages")
    return isinstance(at.client.messages, names[0]), isinstance(at.async_client.messages, names[1])


@paths.same
def patched_class(at: Package) -> Any:
    """`mock.patch("anthropic.resources.messages.Messages.create")`, as tests and tracers do"""
    from unittest import mock

    with mock.patch(f"{at.module.__name__}.resources.messages.Messages.create", return_value="mocked"):
        return at.create()


@paths.same
def version(at: Package) -> Any:
    """`anthropic.__version__` is a text"""
    return isinstance(at.module.__version__, str)


@paths.same
def type_hints(at: Package) -> Any:
    """`typing.get_type_hints(types.ToolParam)`, `typing.get_args(types.StopReason)`"""
    return sorted(typing.get_type_hints(at.types.UserMessageParam)), "end_turn" in typing.get_args(at.types.StopReason)


# Not here


@elsewhere.missing("anthropic")
def count_tokens(at: Package) -> Any:
    """`client.messages.count_tokens(...)`"""
    return bool(at.client.messages.count_tokens)


@elsewhere.missing("anthropic")
def batches(at: Package) -> Any:
    """`client.messages.batches`"""
    return bool(at.client.messages.batches)


@elsewhere.missing("anthropic")
def models(at: Package) -> Any:
    """`client.models.list()`"""
    return bool(at.client.models)


@elsewhere.missing("anthropic")
def files(at: Package) -> Any:
    """`client.beta.files`"""
    return bool(at.client.beta.files)


@elsewhere.missing("anthropic")
def tool_runner(at: Package) -> Any:
    """`client.beta.messages.tool_runner(...)`"""
    return bool(at.client.beta.messages.tool_runner)


@elsewhere.missing("anthropic")
def beta_tool(at: Package) -> Any:
    """`@anthropic.beta_tool`"""
    return bool(at.module.beta_tool)


@elsewhere.missing("anthropic")
def middleware(at: Package) -> Any:
    """`anthropic.Middleware`, `client.with_middleware(...)`"""
    return bool((at.module.Middleware, at.client.with_middleware))


@elsewhere.missing("anthropic")
def bedrock(at: Package) -> Any:
    """`anthropic.AnthropicBedrock`, `AnthropicVertex`, `AnthropicFoundry`"""
    return bool((at.module.AnthropicBedrock, at.module.AnthropicVertex, at.module.AnthropicFoundry))


@elsewhere.missing("anthropic")
def import_bedrock(at: Package) -> Any:
    """`from anthropic import AsyncAnthropicBedrock`, `AsyncAnthropicVertex`"""
    namespace: dict[str, Any] = {}
    exec(f"from {at.module.__name__} import AsyncAnthropicBedrock, AsyncAnthropicVertex", namespace)
    return True


@elsewhere.missing("anthropic")
def lib_bedrock(at: Package) -> Any:
    """`from anthropic.lib.bedrock import AnthropicBedrock`"""
    return bool(found(at, "lib.bedrock", "AnthropicBedrock"))


@elsewhere.missing("anthropic")
def any_path(at: Package) -> Any:
    """`client.get(...)`, `client.post(...)`"""
    return bool((at.client.get, at.client.post))


@elsewhere.missing("anthropic")
def other_resources(at: Package) -> Any:
    """`client.beta.skills`, `client.beta.models`"""
    return bool((at.client.beta.skills, at.client.beta.models))


@elsewhere.missing("anthropic")
async def async_missing(at: Package) -> Any:
    """`await client.messages.count_tokens(...)` of an async client"""
    return bool(at.async_client.messages.count_tokens)
