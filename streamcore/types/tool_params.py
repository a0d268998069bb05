"""Tools and settings as they are written in a request: dicts whose keys a type checker knows, as those in `params`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias

from typing_extensions import TypedDict

from streamcore.types.params import CacheControlEphemeralParam, CitationsConfigParam

__all__ = [
    "CodeExecutionTool20250522Param",
    "CodeExecutionTool20250825Param",
    "CodeExecutionTool20260120Param",
    "CodeExecutionTool20260521Param",
    "DiagnosticsParam",
    "JSONOutputFormatParam",
    "MemoryTool20250818Param",
    "MetadataParam",
    "ModelParam",
    "OutputConfigParam",
    "ThinkingConfigAdaptiveParam",
    "ThinkingConfigBetweenToolsParam",
    "ThinkingConfigDisabledParam",
    "ThinkingConfigEnabledParam",
    "ThinkingConfigParam",
    "ToolBash20250124Param",
    "ToolChoiceAnyParam",
    "ToolChoiceAutoParam",
    "ToolChoiceNoneParam",
    "ToolChoiceParam",
    "ToolChoiceToolParam",
    "ToolParam",
    "ToolSearchToolBm25_20251119Param",
    "ToolSearchToolRegex20251119Param",
    "ToolTextEditor20250124Param",
    "ToolTextEditor20250429Param",
    "ToolTextEditor20250728Param",
    "ToolUnionParam",
    "UserLocationParam",
    "WebFetchTool20250910Param",
    "WebFetchTool20260209Param",
    "WebFetchTool20260309Param",
    "WebFetchTool20260318Param",
    "WebSearchTool20250305Param",
    "WebSearchTool20260209Param",
    "WebSearchTool20260318Param",
]

ModelParam: TypeAlias = str
"""The name of a model."""

_Caller: TypeAlias = Literal["direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521"]


class _ToolParam(TypedDict, total=False):
    """What all tools have: who may call one, and whether the model sees it before a search for tools has found it."""

    allowed_callers: list[_Caller]
    cache_control: CacheControlEphemeralParam | None
    defer_loading: bool
    strict: bool


class _ClientToolParam(_ToolParam, total=False):
    """What those have which the program runs: inputs as examples."""

    input_examples: Iterable[Mapping[str, Any]]


class ToolParam(_ClientToolParam, total=False):
    """A tool of the program's own; `input_schema` is the JSON schema of its input, an object."""

    name: Required[str]
    input_schema: Required[Mapping[str, Any]]
    description: str
    eager_input_streaming: bool | None
    type: Literal["custom"] | None


# Tools that the API knows and the program runs


class ToolBash20250124Param(_ClientToolParam, total=False):
    """A shell."""

    type: Required[Literal["bash_20250124"]]
    name: Required[Literal["bash"]]


class ToolTextEditor20250124Param(_ClientToolParam, total=False):
    """An editor of text files."""

    type: Required[Literal["text_editor_20250124"]]
    name: Required[Literal["str_replace_editor"]]


class ToolTextEditor20250429Param(_ClientToolParam, total=False):
    """An editor of text files."""

    type: Required[Literal["text_editor_20250429"]]
    name: Required[Literal["str_replace_based_edit_tool"]]


class ToolTextEditor20250728Param(_ClientToolParam, total=False):
    """An editor of text files; of a longer one than `max_characters` it shows the beginning."""

    type: Required[Literal["text_editor_20250728"]]
    name: Required[Literal["str_replace_based_edit_tool"]]
    max_characters: int | None


class MemoryTool20250818Param(_ClientToolParam, total=False):
    """A memory in files."""

    type: Required[Literal["memory_20250818"]]
    name: Required[Literal["memory"]]


# Tools that the API runs


class _CodeExecutionToolParam(_ToolParam, total=False):
    name: Required[Literal["code_execution"]]


class CodeExecutionTool20250522Param(_CodeExecutionToolParam, total=False):
    """Runs code in a container."""

    type: Required[Literal["code_execution_20250522"]]


class CodeExecutionTool20250825Param(_CodeExecutionToolParam, total=False):
    """Runs code in a container."""

    type: Required[Literal["code_execution_20250825"]]


class CodeExecutionTool20260120Param(_CodeExecutionToolParam, total=False):
    """Runs code in a container."""

    type: Required[Literal["code_execution_20260120"]]


class CodeExecutionTool20260521Param(_CodeExecutionToolParam, total=False):
    """Runs code in a container."""

    type: Required[Literal["code_execution_20260521"]]


class UserLocationParam(TypedDict, total=False):
    """Where the user is, roughly."""

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
    """Searches the web."""

    type: Required[Literal["web_search_20250305"]]


class WebSearchTool20260209Param(_WebSearchToolParam, total=False):
    """Searches the web."""

    type: Required[Literal["web_search_20260209"]]


class WebSearchTool20260318Param(_WebSearchToolParam, total=False):
    """Searches the web; what it has found need not be in the answer."""

    type: Required[Literal["web_search_20260318"]]
    response_inclusion: Literal["full", "excluded"]


class _WebFetchToolParam(_WebToolParam, total=False):
    name: Required[Literal["web_fetch"]]
    citations: CitationsConfigParam | None
    max_content_tokens: int | None
    url_sources: Mapping[str, Any] | None


class WebFetchTool20250910Param(_WebFetchToolParam, total=False):
    """Fetches pages."""

    type: Required[Literal["web_fetch_20250910"]]


class WebFetchTool20260209Param(_WebFetchToolParam, total=False):
    """Fetches pages."""

    type: Required[Literal["web_fetch_20260209"]]


class WebFetchTool20260309Param(_WebFetchToolParam, total=False):
    """Fetches pages, from a cache if it may."""

    type: Required[Literal["web_fetch_20260309"]]
    use_cache: bool


class WebFetchTool20260318Param(_WebFetchToolParam, total=False):
    """Fetches pages, from a cache if it may; they need not be in the answer."""

    type: Required[Literal["web_fetch_20260318"]]
    use_cache: bool
    response_inclusion: Literal["full", "excluded"]


class ToolSearchToolBm25_20251119Param(_ToolParam, total=False):  # noqa: N801  # its name in `anthropic.types`
    """Searches for tools by words."""

    type: Required[Literal["tool_search_tool_bm25_20251119", "tool_search_tool_bm25"]]
    name: Required[Literal["tool_search_tool_bm25"]]


class ToolSearchToolRegex20251119Param(_ToolParam, total=False):
    """Searches for tools by a regular expression."""

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


# Which tool is used


class ToolChoiceAutoParam(TypedDict, total=False):
    """The model decides."""

    type: Required[Literal["auto"]]
    disable_parallel_tool_use: bool


class ToolChoiceAnyParam(TypedDict, total=False):
    """One of the tools must be used."""

    type: Required[Literal["any"]]
    disable_parallel_tool_use: bool


class ToolChoiceToolParam(TypedDict, total=False):
    """This tool must be used."""

    type: Required[Literal["tool"]]
    name: Required[str]
    disable_parallel_tool_use: bool


class ToolChoiceNoneParam(TypedDict):
    """No tool may be used."""

    type: Literal["none"]


ToolChoiceParam: TypeAlias = ToolChoiceAutoParam | ToolChoiceAnyParam | ToolChoiceToolParam | ToolChoiceNoneParam


# Settings


class ThinkingConfigEnabledParam(TypedDict, total=False):
    """The model thinks, for at most so many tokens."""

    type: Required[Literal["enabled"]]
    budget_tokens: Required[int]
    display: Literal["summarized", "omitted"] | None


class ThinkingConfigDisabledParam(TypedDict):
    """The model does not think."""

    type: Literal["disabled"]


class ThinkingConfigBetweenToolsParam(TypedDict):
    """The model thinks between the uses of tools only."""

    type: Literal["between_tools"]


class ThinkingConfigAdaptiveParam(TypedDict, total=False):
    """The model decides how long it thinks."""

    type: Required[Literal["adaptive"]]
    display: Literal["summarized", "omitted"] | None


ThinkingConfigParam: TypeAlias = (
    ThinkingConfigEnabledParam
    | ThinkingConfigDisabledParam
    | ThinkingConfigBetweenToolsParam
    | ThinkingConfigAdaptiveParam
)


class MetadataParam(TypedDict, total=False):
    """About the request; `user_id` is an opaque name of the user, not one that tells who it is."""

    user_id: str | None


class DiagnosticsParam(TypedDict, total=False):
    """What the API shall explain: why the cache of the earlier message's prompt was not used."""

    previous_message_id: str | None


class JSONOutputFormatParam(TypedDict):
    """The text of the answer shall be JSON of this schema."""

    type: Literal["json_schema"]
    schema: Mapping[str, Any]


class OutputConfigParam(TypedDict, total=False):
    """How the answer shall be."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    format: JSONOutputFormatParam | None
