"""The content blocks of a message, one class for each type.

To add a type, write its class and add it to `ContentBlock`. Decoding and encoding follow from that. A block that deltas
change also needs rows in other tables: `streamcore/README.md` lists them. What results consist of is in `results`, and
the blocks that say what happened to the conversation are in `context`.
Source: https://docs.claude.com/en/api/messages and `anthropic.types`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from streamcore._objects.immutable import array, immutable
from streamcore.errors import ProtocolError
from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, wire_field
from streamcore.types.citations import TextCitation
from streamcore.types.context import CompactionBlock, FallbackBlock
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

# Text and thinking


@frozen(kw_only=True)
class TextBlock(WireObject):
    """Text for the user.

    Attributes:
        text: The text.
        citations: The sources that support the text.
        parsed_output: The text as an object of the class given as `output_format`. It has no wire form.
        parse_error: Why `parsed_output` is missing: the text is incomplete JSON, or invalid for that class. It has no
            wire form.
    """

    type: Literal["text"] = "text"

    text: str
    citations: list[TextCitation] | None = None
    parsed_output: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


@frozen(kw_only=True)
class ThinkingBlock(WireObject):
    """The reasoning of the model.

    Attributes:
        thinking: The text of the reasoning.
        signature: An opaque proof that lets the API accept the block when it is sent back.
    """

    type: Literal["thinking"] = "thinking"

    thinking: str
    signature: str | None = None


@frozen(kw_only=True)
class RedactedThinkingBlock(WireObject):
    """Reasoning that only the model can read.

    Attributes:
        data: The encrypted reasoning, to be sent back unchanged.
    """

    type: Literal["redacted_thinking"] = "redacted_thinking"

    data: str


# Tool use


class UnknownCaller(Unknown):
    """A caller of a type that this version of streamcore does not know."""

    __slots__ = ()


@frozen(kw_only=True)
class DirectCaller(WireObject):
    """The caller of a tool that the model called itself."""

    type: Literal["direct"] = "direct"


@frozen(kw_only=True)
class ServerToolCaller(WireObject):
    """The caller of a tool that was called by code which the model ran.

    Attributes:
        tool_id: The identifier of the tool use that ran the code.
    """

    type: Literal["code_execution_20250825"] = "code_execution_20250825"

    tool_id: str


@frozen(kw_only=True)
class ServerToolCaller20260120(WireObject):
    """The caller of a tool that was called by code in the sandbox of 2026-01-20.

    Attributes:
        tool_id: The identifier of the tool use that ran the code.
    """

    type: Literal["code_execution_20260120"] = "code_execution_20260120"

    tool_id: str


ToolUseCaller: TypeAlias = DirectCaller | ServerToolCaller | ServerToolCaller20260120 | UnknownCaller


@frozen(kw_only=True)
class _ToolUse(WireObject):
    """A call of a tool.

    Attributes:
        input: The input of the tool, an object for all tools so far. While it streams, and if the stream stopped inside
            it (`stop_reason` is `"max_tokens"`, for example), this is the part that has arrived.
        partial_input: The JSON text that arrived, if it is incomplete and `input` therefore is partial; otherwise None.
            It has no wire form.
        parsed_input: The input as an object of the tool's class, if it has one (`tools=[GetWeather]` or `tool_types=`).
            It has no wire form.
        parse_error: Why `parsed_input` is only a dict, if the input is not valid for that class. It has no wire form.
    """

    id: str
    name: str
    input: Any = attrs.field(converter=immutable)
    partial_input: str | None = wire_field(local=True)
    parsed_input: Any = wire_field(local=True, shown=False)
    parse_error: ProtocolError | None = wire_field(local=True, shown=False)


@frozen(kw_only=True)
class ToolUseBlock(_ToolUse):
    """A call of one of the tools of the request.

    Attributes:
        caller: Who called the tool: the model itself, or code that it ran.
        toolset_name: The toolset that the tool belongs to.
    """

    type: Literal["tool_use"] = "tool_use"

    caller: ToolUseCaller | None = None
    toolset_name: str | None = None


@frozen(kw_only=True)
class ServerToolUseBlock(_ToolUse):
    """A call of a tool that the API runs."""

    type: Literal["server_tool_use"] = "server_tool_use"

    caller: ToolUseCaller | None = None


@frozen(kw_only=True)
class MCPToolUseBlock(_ToolUse):
    """A call of a tool of an MCP server."""

    type: Literal["mcp_tool_use"] = "mcp_tool_use"

    server_name: str


# Results of server tools


@frozen(kw_only=True)
class _ToolResult(WireObject):
    """The result of a tool.

    Attributes:
        tool_use_id: The identifier of the tool use that it belongs to.
    """

    tool_use_id: str


@frozen(kw_only=True)
class WebSearchToolResultBlock(_ToolResult):
    """The results of a web search, or its error."""

    type: Literal["web_search_tool_result"] = "web_search_tool_result"

    content: WebSearchToolResultContent = attrs.field(converter=array)
    caller: ToolUseCaller | None = None


@frozen(kw_only=True)
class WebFetchToolResultBlock(_ToolResult):
    """The result of fetching a page, or its error."""

    type: Literal["web_fetch_tool_result"] = "web_fetch_tool_result"

    content: WebFetchToolResultContent | None
    caller: ToolUseCaller | None = None


@frozen(kw_only=True)
class CodeExecutionToolResultBlock(_ToolResult):
    """The result of running code, or its error."""

    type: Literal["code_execution_tool_result"] = "code_execution_tool_result"

    content: CodeExecutionToolResultContent | None


@frozen(kw_only=True)
class BashCodeExecutionToolResultBlock(_ToolResult):
    """The result of running a shell command, or its error."""

    type: Literal["bash_code_execution_tool_result"] = "bash_code_execution_tool_result"

    content: BashCodeExecutionToolResultContent | None


@frozen(kw_only=True)
class TextEditorCodeExecutionToolResultBlock(_ToolResult):
    """The result of viewing, creating or editing a file, or its error."""

    type: Literal["text_editor_code_execution_tool_result"] = "text_editor_code_execution_tool_result"

    content: TextEditorCodeExecutionToolResultContent | None


@frozen(kw_only=True)
class ToolSearchToolResultBlock(_ToolResult):
    """The tools that a tool search found, or its error."""

    type: Literal["tool_search_tool_result"] = "tool_search_tool_result"

    content: ToolSearchToolResultContent | None


@frozen(kw_only=True)
class AdvisorToolResultBlock(_ToolResult):
    """The answer of the advisor, or its error."""

    type: Literal["advisor_tool_result"] = "advisor_tool_result"

    content: AdvisorToolResultContent | None


@frozen(kw_only=True)
class MCPToolResultBlock(_ToolResult):
    """The result of a tool of an MCP server."""

    type: Literal["mcp_tool_result"] = "mcp_tool_result"

    content: str | list[TextBlock | UnknownBlock]
    is_error: bool


@frozen(kw_only=True)
class MCPToolListingBlock(WireObject):
    """The list of tools that an MCP server offers."""

    type: Literal["mcp_tool_listing"] = "mcp_tool_listing"

    mcp_server_name: str
    tools: list[MCPTool]


@frozen(kw_only=True)
class ContainerUploadBlock(WireObject):
    """A file that was uploaded to the container."""

    type: Literal["container_upload"] = "container_upload"

    file_id: str


class UnknownBlock(Unknown):
    """A content block of a type that this version of streamcore does not know."""

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

ParsedTextBlock: TypeAlias = TextBlock
ParsedContentBlock: TypeAlias = ContentBlock
"""The same types: a block has its parsed value without becoming a different type."""
