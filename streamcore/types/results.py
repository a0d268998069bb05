"""What the result blocks of server tools hold: results, errors, files and documents.

Error codes are plain strings: the API adds new ones without notice, and the known ones are in its documentation.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import attrs

from streamcore.types._base import Unknown, WireObject, wire_field

__all__ = [
    "AdvisorRedactedResultBlock",
    "AdvisorResultBlock",
    "AdvisorToolResultContent",
    "AdvisorToolResultErrorObject",
    "Base64PDFSource",
    "BashCodeExecutionOutputBlock",
    "BashCodeExecutionResultBlock",
    "BashCodeExecutionToolResultContent",
    "BashCodeExecutionToolResultErrorObject",
    "CitationsConfig",
    "CodeExecutionOutputBlock",
    "CodeExecutionResultBlock",
    "CodeExecutionToolResultContent",
    "CodeExecutionToolResultErrorObject",
    "DocumentBlock",
    "DocumentSource",
    "EncryptedCodeExecutionResultBlock",
    "MCPTool",
    "PlainTextSource",
    "TextEditorCodeExecutionCreateResultBlock",
    "TextEditorCodeExecutionStrReplaceResultBlock",
    "TextEditorCodeExecutionToolResultContent",
    "TextEditorCodeExecutionToolResultErrorObject",
    "TextEditorCodeExecutionViewResultBlock",
    "ToolReferenceBlock",
    "ToolSearchToolResultContent",
    "ToolSearchToolResultErrorObject",
    "ToolSearchToolSearchResultBlock",
    "UnknownResult",
    "WebFetchBlock",
    "WebFetchToolResultContent",
    "WebFetchToolResultErrorBlock",
    "WebSearchResult",
    "WebSearchResultBlock",
    "WebSearchToolResultContent",
    "WebSearchToolResultErrorObject",
]


class UnknownResult(Unknown):
    """A tool's result, or a part of one, of a type that is new to this version of streamcore."""

    __slots__ = ()


# Web search


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebSearchResultBlock(WireObject):
    """One page that a search found; its content is only for the model to read."""

    type: ClassVar[Literal["web_search_result"]] = "web_search_result"

    title: str
    url: str
    encrypted_content: str
    page_age: str | None = wire_field(null=True)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebSearchToolResultErrorObject(WireObject):
    """The search failed."""

    type: ClassVar[Literal["web_search_tool_result_error"]] = "web_search_tool_result_error"

    error_code: str


WebSearchResult: TypeAlias = WebSearchResultBlock | UnknownResult
WebSearchToolResultContent: TypeAlias = tuple[WebSearchResult, ...] | WebSearchToolResultErrorObject | UnknownResult


# Web fetch


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CitationsConfig(WireObject):
    """Whether a document's text may be cited."""

    enabled: bool


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Base64PDFSource(WireObject):
    """A PDF in base64."""

    type: ClassVar[Literal["base64"]] = "base64"

    media_type: str
    data: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PlainTextSource(WireObject):
    """Plain text."""

    type: ClassVar[Literal["text"]] = "text"

    media_type: str
    data: str


DocumentSource: TypeAlias = Base64PDFSource | PlainTextSource | UnknownResult


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DocumentBlock(WireObject):
    """A document that was fetched."""

    type: ClassVar[Literal["document"]] = "document"

    source: DocumentSource
    citations: CitationsConfig | None = None
    title: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebFetchBlock(WireObject):
    """A page that was fetched. `retrieved_at` is an ISO 8601 time."""

    type: ClassVar[Literal["web_fetch_result"]] = "web_fetch_result"

    url: str
    content: DocumentBlock | UnknownResult
    retrieved_at: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebFetchToolResultErrorBlock(WireObject):
    """The fetch failed."""

    type: ClassVar[Literal["web_fetch_tool_result_error"]] = "web_fetch_tool_result_error"

    error_code: str


WebFetchToolResultContent: TypeAlias = WebFetchBlock | WebFetchToolResultErrorBlock | UnknownResult


# Advisor


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdvisorResultBlock(WireObject):
    """The advisor's answer."""

    type: ClassVar[Literal["advisor_result"]] = "advisor_result"

    text: str
    stop_reason: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdvisorRedactedResultBlock(WireObject):
    """The advisor's answer, only for the model to read."""

    type: ClassVar[Literal["advisor_redacted_result"]] = "advisor_redacted_result"

    encrypted_content: str
    stop_reason: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdvisorToolResultErrorObject(WireObject):
    """The advisor could not be asked."""

    type: ClassVar[Literal["advisor_tool_result_error"]] = "advisor_tool_result_error"

    error_code: str


AdvisorToolResultContent: TypeAlias = (
    AdvisorResultBlock | AdvisorRedactedResultBlock | AdvisorToolResultErrorObject | UnknownResult
)


# Code execution


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CodeExecutionOutputBlock(WireObject):
    """A file that the code made."""

    type: ClassVar[Literal["code_execution_output"]] = "code_execution_output"

    file_id: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CodeExecutionResultBlock(WireObject):
    """The code ran."""

    type: ClassVar[Literal["code_execution_result"]] = "code_execution_result"

    content: tuple[CodeExecutionOutputBlock | UnknownResult, ...]
    return_code: int
    stderr: str
    stdout: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EncryptedCodeExecutionResultBlock(WireObject):
    """The code ran; what it printed is only for the model to read."""

    type: ClassVar[Literal["encrypted_code_execution_result"]] = "encrypted_code_execution_result"

    content: tuple[CodeExecutionOutputBlock | UnknownResult, ...]
    return_code: int
    stderr: str
    encrypted_stdout: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CodeExecutionToolResultErrorObject(WireObject):
    """The code did not run."""

    type: ClassVar[Literal["code_execution_tool_result_error"]] = "code_execution_tool_result_error"

    error_code: str


CodeExecutionToolResultContent: TypeAlias = (
    CodeExecutionResultBlock | EncryptedCodeExecutionResultBlock | CodeExecutionToolResultErrorObject | UnknownResult
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BashCodeExecutionOutputBlock(WireObject):
    """A file that the command made."""

    type: ClassVar[Literal["bash_code_execution_output"]] = "bash_code_execution_output"

    file_id: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BashCodeExecutionResultBlock(WireObject):
    """The command ran."""

    type: ClassVar[Literal["bash_code_execution_result"]] = "bash_code_execution_result"

    content: tuple[BashCodeExecutionOutputBlock | UnknownResult, ...]
    return_code: int
    stderr: str
    stdout: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BashCodeExecutionToolResultErrorObject(WireObject):
    """The command did not run."""

    type: ClassVar[Literal["bash_code_execution_tool_result_error"]] = "bash_code_execution_tool_result_error"

    error_code: str


BashCodeExecutionToolResultContent: TypeAlias = (
    BashCodeExecutionResultBlock | BashCodeExecutionToolResultErrorObject | UnknownResult
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextEditorCodeExecutionViewResultBlock(WireObject):
    """A file was read. Lines are counted from one."""

    type: ClassVar[Literal["text_editor_code_execution_view_result"]] = "text_editor_code_execution_view_result"

    content: str
    file_type: str
    num_lines: int | None = wire_field(null=True)
    start_line: int | None = wire_field(null=True)
    total_lines: int | None = wire_field(null=True)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextEditorCodeExecutionCreateResultBlock(WireObject):
    """A file was written."""

    type: ClassVar[Literal["text_editor_code_execution_create_result"]] = "text_editor_code_execution_create_result"

    is_file_update: bool


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextEditorCodeExecutionStrReplaceResultBlock(WireObject):
    """A file was edited. Lines are counted from one."""

    type: ClassVar[Literal["text_editor_code_execution_str_replace_result"]] = (
        "text_editor_code_execution_str_replace_result"
    )

    lines: tuple[str, ...] | None = wire_field(null=True)
    new_lines: int | None = wire_field(null=True)
    new_start: int | None = wire_field(null=True)
    old_lines: int | None = wire_field(null=True)
    old_start: int | None = wire_field(null=True)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextEditorCodeExecutionToolResultErrorObject(WireObject):
    """The file could not be read or changed."""

    type: ClassVar[Literal["text_editor_code_execution_tool_result_error"]] = (
        "text_editor_code_execution_tool_result_error"
    )

    error_code: str
    error_message: str | None = None


TextEditorCodeExecutionToolResultContent: TypeAlias = (
    TextEditorCodeExecutionViewResultBlock
    | TextEditorCodeExecutionCreateResultBlock
    | TextEditorCodeExecutionStrReplaceResultBlock
    | TextEditorCodeExecutionToolResultErrorObject
    | UnknownResult
)


# Tool search and MCP


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ToolReferenceBlock(WireObject):
    """A tool that the search found."""

    type: ClassVar[Literal["tool_reference"]] = "tool_reference"

    tool_name: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ToolSearchToolSearchResultBlock(WireObject):
    """The tools that the search found."""

    type: ClassVar[Literal["tool_search_tool_search_result"]] = "tool_search_tool_search_result"

    tool_references: tuple[ToolReferenceBlock | UnknownResult, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ToolSearchToolResultErrorObject(WireObject):
    """The search failed."""

    type: ClassVar[Literal["tool_search_tool_result_error"]] = "tool_search_tool_result_error"

    error_code: str
    error_message: str | None = None


ToolSearchToolResultContent: TypeAlias = (
    ToolSearchToolSearchResultBlock | ToolSearchToolResultErrorObject | UnknownResult
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MCPTool(WireObject):
    """A tool that an MCP server offers."""

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
