"""Messages as they are written in a request: dicts whose keys a type checker knows. At run time nothing checks them.

Names and keys are those of `anthropic.types`. The blocks of an answer need none of these: those of `streamcore.types`
go into `messages` as they are, and so there is no dict here for what only the API makes, such as the results of its own
tools. The documentation of the API says what each key means: https://docs.claude.com/en/api/messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Required, TypeAlias

from typing_extensions import TypedDict

from streamcore.types.blocks import ContentBlock, TextBlock

__all__ = [
    "AssistantMessageParam",
    "Base64ImageSourceParam",
    "Base64PDFSourceParam",
    "CacheControlEphemeralParam",
    "CitationCharLocationParam",
    "CitationContentBlockLocationParam",
    "CitationPageLocationParam",
    "CitationSearchResultLocationParam",
    "CitationWebSearchResultLocationParam",
    "CitationsConfigParam",
    "ContainerUploadBlockParam",
    "ContentBlockParam",
    "ContentBlockSourceContentParam",
    "ContentBlockSourceParam",
    "DirectCallerParam",
    "DocumentBlockParam",
    "FileDocumentSourceParam",
    "FileImageSourceParam",
    "ImageBlockParam",
    "ImageTransformationsParam",
    "MessageContentParam",
    "MessageParam",
    "PlainTextSourceParam",
    "RedactedThinkingBlockParam",
    "SearchResultBlockParam",
    "ServerToolCaller20260120Param",
    "ServerToolCallerParam",
    "ServerToolUseBlockParam",
    "SystemMessageParam",
    "TextBlockParam",
    "TextCitationParam",
    "ThinkingBlockParam",
    "ToolReferenceBlockParam",
    "ToolResultBlockParam",
    "ToolUseBlockParam",
    "URLImageSourceParam",
    "URLPDFSourceParam",
    "UserMessageParam",
]


class CacheControlEphemeralParam(TypedDict, total=False):
    """The prompt up to here is worth caching; `ttl` is for how long."""

    type: Required[Literal["ephemeral"]]
    ttl: Literal["5m", "1h"]


class _Cacheable(TypedDict, total=False):
    cache_control: CacheControlEphemeralParam | None


# Text and its citations


class CitationCharLocationParam(TypedDict):
    """A place in a document of plain text; characters count from 0."""

    type: Literal["char_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_char_index: int
    end_char_index: int


class CitationPageLocationParam(TypedDict):
    """A place in a PDF; pages count from 1."""

    type: Literal["page_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_page_number: int
    end_page_number: int


class CitationContentBlockLocationParam(TypedDict):
    """A place in a document that was given as blocks; they count from 0."""

    type: Literal["content_block_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_block_index: int
    end_block_index: int


class CitationWebSearchResultLocationParam(TypedDict):
    """A page that a web search has found."""

    type: Literal["web_search_result_location"]
    cited_text: str
    encrypted_index: str
    title: str | None
    url: str


class CitationSearchResultLocationParam(TypedDict):
    """A place in a `search_result` block."""

    type: Literal["search_result_location"]
    cited_text: str
    search_result_index: int
    source: str
    title: str | None
    start_block_index: int
    end_block_index: int


TextCitationParam: TypeAlias = (
    CitationCharLocationParam
    | CitationPageLocationParam
    | CitationContentBlockLocationParam
    | CitationWebSearchResultLocationParam
    | CitationSearchResultLocationParam
)


class TextBlockParam(_Cacheable, total=False):
    """Text."""

    type: Required[Literal["text"]]
    text: Required[str]
    citations: Iterable[TextCitationParam] | None


# Images and documents


class Base64ImageSourceParam(TypedDict):
    """An image as base64 text."""

    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class URLImageSourceParam(TypedDict):
    """An image that the API fetches."""

    type: Literal["url"]
    url: str


class FileImageSourceParam(TypedDict):
    """An image that was uploaded."""

    type: Literal["file"]
    file_id: str


class ImageTransformationsParam(TypedDict, total=False):
    """What is done with an image that is too large."""

    oversized_image: Literal["downsize", "error"]


class ImageBlockParam(_Cacheable, total=False):
    """An image."""

    type: Required[Literal["image"]]
    source: Required[Base64ImageSourceParam | URLImageSourceParam | FileImageSourceParam]
    transformations: ImageTransformationsParam | None


class Base64PDFSourceParam(TypedDict):
    """A PDF as base64 text."""

    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


class PlainTextSourceParam(TypedDict):
    """A document that is text."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class URLPDFSourceParam(TypedDict):
    """A PDF that the API fetches."""

    type: Literal["url"]
    url: str


class FileDocumentSourceParam(TypedDict):
    """A document that was uploaded."""

    type: Literal["file"]
    file_id: str


ContentBlockSourceContentParam: TypeAlias = TextBlockParam | ImageBlockParam


class ContentBlockSourceParam(TypedDict):
    """A document made of blocks, which citations name by their numbers."""

    type: Literal["content"]
    content: str | Iterable[ContentBlockSourceContentParam]


class CitationsConfigParam(TypedDict, total=False):
    """Whether the model cites this document."""

    enabled: bool


class DocumentBlockParam(_Cacheable, total=False):
    """A document."""

    type: Required[Literal["document"]]
    source: Required[
        Base64PDFSourceParam
        | PlainTextSourceParam
        | ContentBlockSourceParam
        | URLPDFSourceParam
        | FileDocumentSourceParam
    ]
    citations: CitationsConfigParam | None
    context: str | None
    title: str | None


class SearchResultBlockParam(_Cacheable, total=False):
    """What a search of the program's own has found, for the model to cite."""

    type: Required[Literal["search_result"]]
    content: Required[Iterable[TextBlockParam]]
    source: Required[str]
    title: Required[str]
    citations: CitationsConfigParam


class ContainerUploadBlockParam(_Cacheable, total=False):
    """A file to be put into the container that code runs in."""

    type: Required[Literal["container_upload"]]
    file_id: Required[str]


# Thinking, and the use of tools


class ThinkingBlockParam(TypedDict):
    """Thinking, as it came."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlockParam(TypedDict):
    """Thinking that is not shown, as it came."""

    type: Literal["redacted_thinking"]
    data: str


class DirectCallerParam(TypedDict):
    """The model itself has called the tool."""

    type: Literal["direct"]


class ServerToolCallerParam(TypedDict):
    """Code has called the tool; `tool_id` is the call that the code runs in."""

    type: Literal["code_execution_20250825"]
    tool_id: str


class ServerToolCaller20260120Param(TypedDict):
    """Code has called the tool; `tool_id` is the call that the code runs in."""

    type: Literal["code_execution_20260120"]
    tool_id: str


_CallerParam: TypeAlias = DirectCallerParam | ServerToolCallerParam | ServerToolCaller20260120Param


class ToolUseBlockParam(_Cacheable, total=False):
    """The model has called a tool of the program's."""

    type: Required[Literal["tool_use"]]
    id: Required[str]
    name: Required[str]
    input: Required[Mapping[str, Any]]
    caller: _CallerParam
    toolset_name: str | None


class ServerToolUseBlockParam(_Cacheable, total=False):
    """The model has called a tool of the API's."""

    type: Required[Literal["server_tool_use"]]
    id: Required[str]
    name: Required[
        Literal[
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search_tool_regex",
            "tool_search_tool_bm25",
        ]
    ]
    input: Required[Mapping[str, Any]]
    caller: _CallerParam


class ToolReferenceBlockParam(_Cacheable, total=False):
    """A tool that a search for tools has found."""

    type: Required[Literal["tool_reference"]]
    tool_name: Required[str]


class ToolResultBlockParam(_Cacheable, total=False):
    """What a tool of the program's has answered to the call `tool_use_id`."""

    type: Required[Literal["tool_result"]]
    tool_use_id: Required[str]
    content: (
        str
        | Iterable[
            TextBlockParam | ImageBlockParam | SearchResultBlockParam | DocumentBlockParam | ToolReferenceBlockParam
        ]
    )
    is_error: bool
    toolset_name: str | None


# Messages


ContentBlockParam: TypeAlias = (
    TextBlockParam
    | ImageBlockParam
    | DocumentBlockParam
    | SearchResultBlockParam
    | ThinkingBlockParam
    | RedactedThinkingBlockParam
    | ToolUseBlockParam
    | ToolResultBlockParam
    | ServerToolUseBlockParam
    | ContainerUploadBlockParam
)

MessageContentParam: TypeAlias = str | Iterable[ContentBlockParam | ContentBlock]
"""Text, or blocks: dicts, and those of an answer as they are."""


class UserMessageParam(TypedDict):
    """A turn of the user."""

    role: Literal["user"]
    content: MessageContentParam


class AssistantMessageParam(TypedDict):
    """A turn of the model: `{"role": "assistant", "content": message.content}`, say."""

    role: Literal["assistant"]
    content: MessageContentParam


class SystemMessageParam(TypedDict):
    """Instructions between two turns."""

    role: Literal["system"]
    content: str | Iterable[TextBlockParam | TextBlock]


MessageParam: TypeAlias = UserMessageParam | AssistantMessageParam | SystemMessageParam
"""One turn. In `messages` an answer may also stand for itself: a `Message` is the turn that it was."""
