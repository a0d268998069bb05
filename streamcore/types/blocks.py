"""The content blocks of a message, one class a type.

To add a type, write its class and name it in `ContentBlock`: decoding, encoding and accumulation follow from that.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import attrs

from streamcore.errors import ProtocolError
from streamcore.types._base import Unknown, WireObject, wire_field
from streamcore.types._frozen import frozen
from streamcore.types.citations import TextCitation
from streamcore.types.results import (
    AdvisorToolResultContent,
    BashCodeExecutionToolResultContent,
    CodeExecutionToolResultContent,
    MCPTool,
    TextEditorCodeExecutionToolResultContent,
    ToolSearchToolResultContent,
    WebFetchToolResultContent,
    WebSearchToolResultContent,
)

__all__ = [
    "AdvisorToolResultBlock",
    "BashCodeExecutionToolResultBlock",
    "CodeExecutionToolResultBlock",
    "CompactionBlock",
    "ContainerUploadBlock",
    "ContentBlock",
    "DirectCaller",
    "FallbackBlock",
    "FallbackInfo",
    "FallbackRefusalTrigger",
    "FallbackTrigger",
    "MCPToolListingBlock",
    "MCPToolResultBlock",
    "MCPToolUseBlock",
    "ParsedContentBlock",
    "ParsedTextBlock",
    "RedactedThinkingBlock",
    "ServerToolCaller",
    "ServerToolCaller20260120",
    "ServerToolUseBlock",
    "TextBlock",
    "TextEditorCodeExecutionToolResultBlock",
    "ThinkingBlock",
    "ToolAdditionBlock",
    "ToolChange",
    "ToolRemovalBlock",
    "ToolSearchToolResultBlock",
    "ToolUseBlock",
    "ToolUseCaller",
    "UnknownBlock",
    "UnknownCaller",
    "UnknownToolChange",
    "UnknownTrigger",
    "WebFetchToolResultBlock",
    "WebSearchToolResultBlock",
]


# Text and thinking


@frozen(kw_only=True)
class TextBlock(WireObject):
    """Text for the user, with the citations that back it up, if any.

    Attributes:
        parsed_output: What the text says, of the class that was asked for by `output_format`. It has no wire form, as
            has `parse_error`: what was wrong with it, if it was not of that class, or no whole JSON.
    """

    type: ClassVar[Literal["text"]] = "text"

    text: str
    citations: tuple[TextCitation, ...] | None = None
    parsed_output: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


@frozen(kw_only=True)
class ThinkingBlock(WireObject):
    """The model's reasoning. The opaque `signature` lets the API recognise it when it is sent back."""

    type: ClassVar[Literal["thinking"]] = "thinking"

    thinking: str
    signature: str | None = None


@frozen(kw_only=True)
class RedactedThinkingBlock(WireObject):
    """Reasoning that only the model may read."""

    type: ClassVar[Literal["redacted_thinking"]] = "redacted_thinking"

    data: str


# Tool use


class UnknownCaller(Unknown):
    """A caller of a type that is new to this version of streamcore."""

    __slots__ = ()


@frozen(kw_only=True)
class DirectCaller(WireObject):
    """The model itself called the tool."""

    type: ClassVar[Literal["direct"]] = "direct"


@frozen(kw_only=True)
class ServerToolCaller(WireObject):
    """Code that the model ran called the tool."""

    type: ClassVar[Literal["code_execution_20250825"]] = "code_execution_20250825"

    tool_id: str


@frozen(kw_only=True)
class ServerToolCaller20260120(WireObject):
    """Code that the model ran, in the sandbox of 2026-01-20, called the tool."""

    type: ClassVar[Literal["code_execution_20260120"]] = "code_execution_20260120"

    tool_id: str


ToolUseCaller: TypeAlias = DirectCaller | ServerToolCaller | ServerToolCaller20260120 | UnknownCaller


@frozen(kw_only=True)
class ToolUseBlock(WireObject):
    """A call of one of the request's tools.

    Attributes:
        input: The tool's input. While it streams, and when the stream stopped inside it (`stop_reason` is
            `"max_tokens"`, say), the best partial value; an object for all tools so far.
        partial_input: The JSON text that came, where it is not whole and `input` therefore is partial; else `None`.
            It has no wire form.
        parsed_input: The input as a value of the tool's class, if it has one (`tools=[GetWeather]`, or `tool_types=`).
            It has no wire form, as has `parse_error`: what was wrong with the input, if it was not of that class. The
            dict is what `parsed_input` is then.
    """

    type: ClassVar[Literal["tool_use"]] = "tool_use"

    id: str
    name: str
    input: Any
    caller: ToolUseCaller | None = None
    toolset_name: str | None = None
    partial_input: str | None = wire_field(local=True)
    parsed_input: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


@frozen(kw_only=True)
class ServerToolUseBlock(WireObject):
    """A call of a tool that runs on the API's side. What is not the API's is as in `ToolUseBlock`."""

    type: ClassVar[Literal["server_tool_use"]] = "server_tool_use"

    id: str
    name: str
    input: Any
    caller: ToolUseCaller | None = None
    partial_input: str | None = wire_field(local=True)
    parsed_input: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


@frozen(kw_only=True)
class MCPToolUseBlock(WireObject):
    """A call of an MCP server's tool. What is not the API's is as in `ToolUseBlock`."""

    type: ClassVar[Literal["mcp_tool_use"]] = "mcp_tool_use"

    id: str
    name: str
    server_name: str
    input: Any
    partial_input: str | None = wire_field(local=True)
    parsed_input: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


# Results of server tools


@frozen(kw_only=True)
class WebSearchToolResultBlock(WireObject):
    """What a web search found, or why it failed."""

    type: ClassVar[Literal["web_search_tool_result"]] = "web_search_tool_result"

    tool_use_id: str
    content: WebSearchToolResultContent
    caller: ToolUseCaller | None = None


@frozen(kw_only=True)
class WebFetchToolResultBlock(WireObject):
    """What a web fetch brought, or why it failed."""

    type: ClassVar[Literal["web_fetch_tool_result"]] = "web_fetch_tool_result"

    tool_use_id: str
    content: WebFetchToolResultContent
    caller: ToolUseCaller | None = None


@frozen(kw_only=True)
class CodeExecutionToolResultBlock(WireObject):
    """What code that ran printed and made, or why it did not run."""

    type: ClassVar[Literal["code_execution_tool_result"]] = "code_execution_tool_result"

    tool_use_id: str
    content: CodeExecutionToolResultContent


@frozen(kw_only=True)
class BashCodeExecutionToolResultBlock(WireObject):
    """What a command printed and made, or why it did not run."""

    type: ClassVar[Literal["bash_code_execution_tool_result"]] = "bash_code_execution_tool_result"

    tool_use_id: str
    content: BashCodeExecutionToolResultContent


@frozen(kw_only=True)
class TextEditorCodeExecutionToolResultBlock(WireObject):
    """What became of a file that was to be viewed, written or edited."""

    type: ClassVar[Literal["text_editor_code_execution_tool_result"]] = "text_editor_code_execution_tool_result"

    tool_use_id: str
    content: TextEditorCodeExecutionToolResultContent


@frozen(kw_only=True)
class ToolSearchToolResultBlock(WireObject):
    """Which tools a search of the tools found, or why it failed."""

    type: ClassVar[Literal["tool_search_tool_result"]] = "tool_search_tool_result"

    tool_use_id: str
    content: ToolSearchToolResultContent


@frozen(kw_only=True)
class AdvisorToolResultBlock(WireObject):
    """What the advisor answered, or why it could not be asked."""

    type: ClassVar[Literal["advisor_tool_result"]] = "advisor_tool_result"

    tool_use_id: str
    content: AdvisorToolResultContent


@frozen(kw_only=True)
class MCPToolResultBlock(WireObject):
    """What an MCP server's tool answered."""

    type: ClassVar[Literal["mcp_tool_result"]] = "mcp_tool_result"

    tool_use_id: str
    content: str | tuple[TextBlock | UnknownBlock, ...]
    is_error: bool


@frozen(kw_only=True)
class MCPToolListingBlock(WireObject):
    """The tools that an MCP server offers."""

    type: ClassVar[Literal["mcp_tool_listing"]] = "mcp_tool_listing"

    mcp_server_name: str
    tools: tuple[MCPTool, ...]


@frozen(kw_only=True)
class ContainerUploadBlock(WireObject):
    """A file that was put into the container."""

    type: ClassVar[Literal["container_upload"]] = "container_upload"

    file_id: str


# Compaction and fallback


class UnknownToolChange(Unknown):
    """A change of the tools, or what it concerns, of a type that is new to this version of streamcore."""

    __slots__ = ()


@frozen(kw_only=True)
class ToolAdditionBlock(WireObject):
    """A tool that was added within the conversation; `tool` is its reference or definition, as JSON."""

    type: ClassVar[Literal["tool_addition"]] = "tool_addition"

    tool: dict[str, Any]


@frozen(kw_only=True)
class ToolRemovalBlock(WireObject):
    """A tool that was removed within the conversation; `tool` is its reference, as JSON."""

    type: ClassVar[Literal["tool_removal"]] = "tool_removal"

    tool: dict[str, Any]


ToolChange: TypeAlias = ToolAdditionBlock | ToolRemovalBlock | UnknownToolChange


@frozen(kw_only=True)
class CompactionBlock(WireObject):
    """A summary that stands for the conversation before it; `encrypted_content` is its opaque form, to be sent back."""

    type: ClassVar[Literal["compaction"]] = "compaction"

    content: str | None = wire_field(null=True)
    encrypted_content: str | None = None
    signature: str | None = None
    tool_changes: tuple[ToolChange, ...] | None = None


@frozen(kw_only=True)
class FallbackInfo(WireObject):
    """One end of a fallback."""

    model: str


class UnknownTrigger(Unknown):
    """A trigger of a type that is new to this version of streamcore."""

    __slots__ = ()


@frozen(kw_only=True)
class FallbackRefusalTrigger(WireObject):
    """The first model refused."""

    type: ClassVar[Literal["refusal"]] = "refusal"

    category: str | None = wire_field(null=True)


FallbackTrigger: TypeAlias = FallbackRefusalTrigger | UnknownTrigger


@frozen(kw_only=True)
class FallbackBlock(WireObject):
    """From here on another model answers: `to.model` is the message's `model` from now on."""

    type: ClassVar[Literal["fallback"]] = "fallback"

    from_: FallbackInfo = attrs.field(metadata={"key": "from"})
    to: FallbackInfo
    trigger: FallbackTrigger | None = None


class UnknownBlock(Unknown):
    """A content block of a type that is new to this version of streamcore."""

    __slots__ = ()


ContentBlock: TypeAlias = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ServerToolUseBlock
    | WebSearchToolResultBlock
    | WebFetchToolResultBlock
    | CodeExecutionToolResultBlock
    | BashCodeExecutionToolResultBlock
    | TextEditorCodeExecutionToolResultBlock
    | ToolSearchToolResultBlock
    | AdvisorToolResultBlock
    | MCPToolUseBlock
    | MCPToolResultBlock
    | MCPToolListingBlock
    | ContainerUploadBlock
    | CompactionBlock
    | FallbackBlock
    | UnknownBlock
)

ParsedTextBlock = TextBlock
ParsedContentBlock = ContentBlock
"""The same types: a block has its parsed value without becoming a different type."""
