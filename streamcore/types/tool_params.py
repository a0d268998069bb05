"""The tools and settings of a request: dicts whose keys type checkers know, like those in `params`.

For the meaning of each key, see https://docs.claude.com/en/api/messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias

from typing_extensions import TypedDict

from streamcore.types._requests import Items, keep_unknown_keys
from streamcore.types.params import CacheControlEphemeralParam, CitationsConfigParam

ModelParam: TypeAlias = str
"""The name of a model, such as `"claude-opus-5"`."""

_Caller: TypeAlias = Literal["direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521"]


class _ToolParam(TypedDict, total=False):
    """The keys that all tools have.

    `allowed_callers` says who can call the tool. With `defer_loading`, the model sees the tool only after a tool search
    has found it.
    """

    allowed_callers: list[_Caller]
    cache_control: CacheControlEphemeralParam | None
    defer_loading: bool
    strict: bool


class _ClientToolParam(_ToolParam, total=False):
    """The keys of tools that your program runs: those of all tools, and examples of inputs."""

    input_examples: Items[Mapping[str, Any]]


class ToolParam(_ClientToolParam, total=False):
    """A tool of your own; `input_schema` is the JSON Schema of its input, which is an object."""

    name: Required[str]
    input_schema: Required[Mapping[str, Any]]
    description: str
    eager_input_streaming: bool | None
    type: Literal["custom"] | None


# Tools that the API defines and your program runs


class ToolBash20250124Param(_ClientToolParam, total=False):
    """A shell that your program runs."""

    type: Required[Literal["bash_20250124"]]
    name: Required[Literal["bash"]]


class ToolTextEditor20250124Param(_ClientToolParam, total=False):
    """A text editor that your program runs."""

    type: Required[Literal["text_editor_20250124"]]
    name: Required[Literal["str_replace_editor"]]


class ToolTextEditor20250429Param(_ClientToolParam, total=False):
    """A text editor that your program runs."""

    type: Required[Literal["text_editor_20250429"]]
    name: Required[Literal["str_replace_based_edit_tool"]]


class ToolTextEditor20250728Param(_ClientToolParam, total=False):
    """A text editor that your program runs.

    It shows at most `max_characters` characters of a file.
    """

    type: Required[Literal["text_editor_20250728"]]
    name: Required[Literal["str_replace_based_edit_tool"]]
    max_characters: int | None


class MemoryTool20250818Param(_ClientToolParam, total=False):
    """A memory in files that your program stores."""

    type: Required[Literal["memory_20250818"]]
    name: Required[Literal["memory"]]


# Tools that the API runs


class _CodeExecutionToolParam(_ToolParam, total=False):
    name: Required[Literal["code_execution"]]


class CodeExecutionTool20250522Param(_CodeExecutionToolParam, total=False):
    """Code execution in a container."""

    type: Required[Literal["code_execution_20250522"]]


class CodeExecutionTool20250825Param(_CodeExecutionToolParam, total=False):
    """Code execution in a container."""

    type: Required[Literal["code_execution_20250825"]]


class CodeExecutionTool20260120Param(_CodeExecutionToolParam, total=False):
    """Code execution in a container."""

    type: Required[Literal["code_execution_20260120"]]


class CodeExecutionTool20260521Param(_CodeExecutionToolParam, total=False):
    """Code execution in a container."""

    type: Required[Literal["code_execution_20260521"]]


class UserLocationParam(TypedDict, total=False):
    """The approximate location of the user."""

    type: Required[Literal["approximate"]]
    city: str | None
    country: str | None
    region: str | None
    timezone: str | None


class _WebToolParam(_ToolParam, total=False):
    allowed_domains: Sequence[str] | None
    blocked_domains: Sequence[str] | None
    max_uses: int | None


class _WebSearchToolParam(_WebToolParam, total=False):
    name: Required[Literal["web_search"]]
    user_location: UserLocationParam | None


class WebSearchTool20250305Param(_WebSearchToolParam, total=False):
    """Web search."""

    type: Required[Literal["web_search_20250305"]]


class WebSearchTool20260209Param(_WebSearchToolParam, total=False):
    """Web search."""

    type: Required[Literal["web_search_20260209"]]


class WebSearchTool20260318Param(_WebSearchToolParam, total=False):
    """Web search whose results can be excluded from the answer."""

    type: Required[Literal["web_search_20260318"]]
    response_inclusion: Literal["full", "excluded"]


class _WebFetchToolParam(_WebToolParam, total=False):
    name: Required[Literal["web_fetch"]]
    citations: CitationsConfigParam | None
    max_content_tokens: int | None
    url_sources: Mapping[str, Any] | None


class WebFetchTool20250910Param(_WebFetchToolParam, total=False):
    """Fetching of web pages."""

    type: Required[Literal["web_fetch_20250910"]]


class WebFetchTool20260209Param(_WebFetchToolParam, total=False):
    """Fetching of web pages."""

    type: Required[Literal["web_fetch_20260209"]]


class WebFetchTool20260309Param(_WebFetchToolParam, total=False):
    """Fetching of web pages, optionally from a cache."""

    type: Required[Literal["web_fetch_20260309"]]
    use_cache: bool


class WebFetchTool20260318Param(_WebFetchToolParam, total=False):
    """Fetching of web pages, optionally from a cache, which can be excluded from the answer."""

    type: Required[Literal["web_fetch_20260318"]]
    use_cache: bool
    response_inclusion: Literal["full", "excluded"]


class ToolSearchToolBm25_20251119Param(_ToolParam, total=False):  # noqa: N801  # its name in `anthropic.types`
    """Search for tools by words."""

    type: Required[Literal["tool_search_tool_bm25_20251119", "tool_search_tool_bm25"]]
    name: Required[Literal["tool_search_tool_bm25"]]


class ToolSearchToolRegex20251119Param(_ToolParam, total=False):
    """Search for tools by regular expression."""

    type: Required[Literal["tool_search_tool_regex_20251119", "tool_search_tool_regex"]]
    name: Required[Literal["tool_search_tool_regex"]]


ToolUnionParam: TypeAlias = (
    ToolParam
    | ToolBash20250124Param
    | ToolTextEditor20250124Param
    | ToolTextEditor20250429Param
    | ToolTextEditor20250728Param
    | MemoryTool20250818Param
    | CodeExecutionTool20250522Param
    | CodeExecutionTool20250825Param
    | CodeExecutionTool20260120Param
    | CodeExecutionTool20260521Param
    | WebSearchTool20250305Param
    | WebSearchTool20260209Param
    | WebSearchTool20260318Param
    | WebFetchTool20250910Param
    | WebFetchTool20260209Param
    | WebFetchTool20260309Param
    | WebFetchTool20260318Param
    | ToolSearchToolBm25_20251119Param
    | ToolSearchToolRegex20251119Param
)


# Tool choice


class ToolChoiceAutoParam(TypedDict, total=False):
    """The choice that leaves the use of tools to the model."""

    type: Required[Literal["auto"]]
    disable_parallel_tool_use: bool


class ToolChoiceAnyParam(TypedDict, total=False):
    """The choice that makes the model use any one of the tools."""

    type: Required[Literal["any"]]
    disable_parallel_tool_use: bool


class ToolChoiceToolParam(TypedDict, total=False):
    """The choice that makes the model use the tool called `name`."""

    type: Required[Literal["tool"]]
    name: Required[str]
    disable_parallel_tool_use: bool


class ToolChoiceNoneParam(TypedDict):
    """The choice that forbids the use of tools."""

    type: Literal["none"]


ToolChoiceParam: TypeAlias = ToolChoiceAutoParam | ToolChoiceAnyParam | ToolChoiceToolParam | ToolChoiceNoneParam


# Settings


class ThinkingConfigEnabledParam(TypedDict, total=False):
    """Thinking of at most `budget_tokens` tokens."""

    type: Required[Literal["enabled"]]
    budget_tokens: Required[int]
    display: Literal["summarized", "omitted"] | None


class ThinkingConfigDisabledParam(TypedDict):
    """No thinking."""

    type: Literal["disabled"]


class ThinkingConfigBetweenToolsParam(TypedDict):
    """Thinking only between tool uses."""

    type: Literal["between_tools"]


class ThinkingConfigAdaptiveParam(TypedDict, total=False):
    """Thinking for as long as the model decides."""

    type: Required[Literal["adaptive"]]
    display: Literal["summarized", "omitted"] | None


ThinkingConfigParam: TypeAlias = (
    ThinkingConfigEnabledParam
    | ThinkingConfigDisabledParam
    | ThinkingConfigBetweenToolsParam
    | ThinkingConfigAdaptiveParam
)


class MetadataParam(TypedDict, total=False):
    """Information about the request.

    `user_id` is an opaque identifier that must not reveal who the user is.
    """

    user_id: str | None


class DiagnosticsParam(TypedDict, total=False):
    """A request to explain why the prompt cache of an earlier message was not used."""

    previous_message_id: str | None


class JSONOutputFormatParam(TypedDict):
    """Output as JSON that matches a JSON Schema."""

    type: Literal["json_schema"]
    schema: Mapping[str, Any]


class OutputConfigParam(TypedDict, total=False):
    """The effort that the model makes, and the format of its output."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    format: JSONOutputFormatParam | None


keep_unknown_keys(globals())
