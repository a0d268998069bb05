"""The contents of the result blocks of server tools: results, errors, files and documents.

Error codes are plain strings, because the API adds new ones without notice. Source: the pages about tools in
https://docs.claude.com/en/docs/agents-and-tools and `anthropic.types`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from streamcore._objects.immutable import immutable
from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, wire_field


class UnknownResult(Unknown):
    """A result of a tool, or a part of one, of a type that this version of streamcore does not know."""

    __slots__ = ()


# Web search


@frozen(kw_only=True)
class WebSearchResultBlock(WireObject):
    """One page that a web search found.

    Attributes:
        encrypted_content: The content, which only the model can read.
        page_age: How old the page is, as text, if known.
    """

    type: Literal["web_search_result"] = "web_search_result"

    title: str
    url: str
    encrypted_content: str | None
    page_age: str | None = wire_field(null=True)


@frozen(kw_only=True)
class WebSearchToolResultErrorObject(WireObject):
    """The error of a failed web search."""

    type: Literal["web_search_tool_result_error"] = "web_search_tool_result_error"

    error_code: str


WebSearchResult: TypeAlias = WebSearchResultBlock | UnknownResult
WebSearchToolResultContent: TypeAlias = list[WebSearchResult] | WebSearchToolResultErrorObject | UnknownResult


# Web fetch


@frozen(kw_only=True)
class CitationsConfig(WireObject):
    """Whether the text of a document can be cited."""

    enabled: bool


@frozen(kw_only=True)
class Base64PDFSource(WireObject):
    """A PDF, encoded in base64."""

    type: Literal["base64"] = "base64"

    media_type: str
    data: str


@frozen(kw_only=True)
class PlainTextSource(WireObject):
    """A document of plain text."""

    type: Literal["text"] = "text"

    media_type: str
    data: str


DocumentSource: TypeAlias = Base64PDFSource | PlainTextSource | UnknownResult


@frozen(kw_only=True)
class DocumentBlock(WireObject):
    """A document that was fetched."""

    type: Literal["document"] = "document"

    source: DocumentSource
    citations: CitationsConfig | None = None
    title: str | None = None


@frozen(kw_only=True)
class WebFetchBlock(WireObject):
    """A page that was fetched.

    Attributes:
        retrieved_at: When it was fetched, as an ISO 8601 time.
    """

    type: Literal["web_fetch_result"] = "web_fetch_result"

    url: str
    content: DocumentBlock | UnknownResult | None
    retrieved_at: str | None = None


@frozen(kw_only=True)
class WebFetchToolResultErrorBlock(WireObject):
    """The error of a page that could not be fetched."""

    type: Literal["web_fetch_tool_result_error"] = "web_fetch_tool_result_error"

    error_code: str


WebFetchToolResultContent: TypeAlias = WebFetchBlock | WebFetchToolResultErrorBlock | UnknownResult


# Advisor


@frozen(kw_only=True)
class AdvisorResultBlock(WireObject):
    """The answer of the advisor."""

    type: Literal["advisor_result"] = "advisor_result"

    text: str
    stop_reason: str | None = None


@frozen(kw_only=True)
class AdvisorRedactedResultBlock(WireObject):
    """The answer of the advisor, encrypted.

    Attributes:
        encrypted_content: The answer, which only the model can read.
    """

    type: Literal["advisor_redacted_result"] = "advisor_redacted_result"

    encrypted_content: str | None
    stop_reason: str | None = None


@frozen(kw_only=True)
class AdvisorToolResultErrorObject(WireObject):
    """The error of a failed call of the advisor."""

    type: Literal["advisor_tool_result_error"] = "advisor_tool_result_error"

    error_code: str


AdvisorToolResultContent: TypeAlias = (
    AdvisorResultBlock | AdvisorRedactedResultBlock | AdvisorToolResultErrorObject | UnknownResult
)


# Code execution


@frozen(kw_only=True)
class CodeExecutionOutputBlock(WireObject):
    """A file that the code created."""

    type: Literal["code_execution_output"] = "code_execution_output"

    file_id: str


@frozen(kw_only=True)
class CodeExecutionResultBlock(WireObject):
    """The result of code that ran.

    Attributes:
        content: The files that the code created.
        return_code: The exit status of the process.
    """

    type: Literal["code_execution_result"] = "code_execution_result"

    content: list[CodeExecutionOutputBlock | UnknownResult]
    return_code: int
    stderr: str
    stdout: str


@frozen(kw_only=True)
class EncryptedCodeExecutionResultBlock(WireObject):
    """The result of code that ran, with encrypted output.

    Attributes:
        content: The files that the code created.
        return_code: The exit status of the process.
        encrypted_stdout: What the code printed, which only the model can read.
    """

    type: Literal["encrypted_code_execution_result"] = "encrypted_code_execution_result"

    content: list[CodeExecutionOutputBlock | UnknownResult]
    return_code: int
    stderr: str
    encrypted_stdout: str | None


@frozen(kw_only=True)
class CodeExecutionToolResultErrorObject(WireObject):
    """The error of code that did not run."""

    type: Literal["code_execution_tool_result_error"] = "code_execution_tool_result_error"

    error_code: str


CodeExecutionToolResultContent: TypeAlias = (
    CodeExecutionResultBlock | EncryptedCodeExecutionResultBlock | CodeExecutionToolResultErrorObject | UnknownResult
)


@frozen(kw_only=True)
class BashCodeExecutionOutputBlock(WireObject):
    """A file that the command created."""

    type: Literal["bash_code_execution_output"] = "bash_code_execution_output"

    file_id: str


@frozen(kw_only=True)
class BashCodeExecutionResultBlock(WireObject):
    """The result of a command that ran.

    Attributes:
        content: The files that the command created.
        return_code: The exit status of the process.
    """

    type: Literal["bash_code_execution_result"] = "bash_code_execution_result"

    content: list[BashCodeExecutionOutputBlock | UnknownResult]
    return_code: int
    stderr: str
    stdout: str


@frozen(kw_only=True)
class BashCodeExecutionToolResultErrorObject(WireObject):
    """The error of a command that did not run."""

    type: Literal["bash_code_execution_tool_result_error"] = "bash_code_execution_tool_result_error"

    error_code: str


BashCodeExecutionToolResultContent: TypeAlias = (
    BashCodeExecutionResultBlock | BashCodeExecutionToolResultErrorObject | UnknownResult
)


@frozen(kw_only=True)
class TextEditorCodeExecutionViewResultBlock(WireObject):
    """The content of a file, or a part of it.

    Attributes:
        content: The text, or the data of an image or PDF.
        file_type: `"text"`, `"image"` or `"pdf"`.
        num_lines: The number of lines shown.
        start_line: The first line shown, counted from 1.
        total_lines: The number of lines in the file.
    """

    type: Literal["text_editor_code_execution_view_result"] = "text_editor_code_execution_view_result"

    content: str
    file_type: str
    num_lines: int | None = wire_field(null=True)
    start_line: int | None = wire_field(null=True)
    total_lines: int | None = wire_field(null=True)


@frozen(kw_only=True)
class TextEditorCodeExecutionCreateResultBlock(WireObject):
    """The result of writing a file.

    Attributes:
        is_file_update: Whether the file existed before.
    """

    type: Literal["text_editor_code_execution_create_result"] = "text_editor_code_execution_create_result"

    is_file_update: bool


@frozen(kw_only=True)
class TextEditorCodeExecutionStrReplaceResultBlock(WireObject):
    """The result of editing a file.

    Attributes:
        lines: The lines around the edit.
        new_lines: The number of lines after the edit.
        new_start: The first line after the edit, counted from 1.
        old_lines: The number of lines before the edit.
        old_start: The first line before the edit, counted from 1.
    """

    type: Literal["text_editor_code_execution_str_replace_result"] = "text_editor_code_execution_str_replace_result"

    lines: list[str] | None = wire_field(null=True)
    new_lines: int | None = wire_field(null=True)
    new_start: int | None = wire_field(null=True)
    old_lines: int | None = wire_field(null=True)
    old_start: int | None = wire_field(null=True)


@frozen(kw_only=True)
class TextEditorCodeExecutionToolResultErrorObject(WireObject):
    """The error of a file that could not be read or changed."""

    type: Literal["text_editor_code_execution_tool_result_error"] = "text_editor_code_execution_tool_result_error"

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


@frozen(kw_only=True)
class ToolReferenceBlock(WireObject):
    """The name of a tool that a tool search found."""

    type: Literal["tool_reference"] = "tool_reference"

    tool_name: str


@frozen(kw_only=True)
class ToolSearchToolSearchResultBlock(WireObject):
    """The tools that a tool search found."""

    type: Literal["tool_search_tool_search_result"] = "tool_search_tool_search_result"

    tool_references: list[ToolReferenceBlock | UnknownResult]


@frozen(kw_only=True)
class ToolSearchToolResultErrorObject(WireObject):
    """The error of a failed tool search."""

    type: Literal["tool_search_tool_result_error"] = "tool_search_tool_result_error"

    error_code: str
    error_message: str | None = None


ToolSearchToolResultContent: TypeAlias = (
    ToolSearchToolSearchResultBlock | ToolSearchToolResultErrorObject | UnknownResult
)


@frozen(kw_only=True)
class MCPTool(WireObject):
    """A tool that an MCP server offers.

    Attributes:
        input_schema: The JSON Schema of its input.
    """

    name: str
    input_schema: dict[str, Any] = attrs.field(converter=immutable)
    description: str | None = None
