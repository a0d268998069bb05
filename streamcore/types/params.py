"""The messages of a request: dicts whose keys type checkers know. Nothing checks them at run time.

Names and keys are those of `anthropic.types`. The blocks of an answer need no dicts, because the objects of
`streamcore.types` can be used in `messages` directly. That is why blocks that only the API creates, such as the results
of its own tools, are missing here. For the meaning of each key, see https://docs.claude.com/en/api/messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Required, TypeAlias

from typing_extensions import TypedDict

from streamcore.types._requests import ByRole, Items, keep_unknown_keys
from streamcore.types.blocks import ContentBlock, TextBlock


class CacheControlEphemeralParam(TypedDict, total=False):
    """A request to cache the prompt up to this point.

    `ttl` is how long the cache keeps it: five minutes (the default) or one hour.
    """

    type: Required[Literal["ephemeral"]]
    ttl: Literal["5m", "1h"]


class _Cacheable(TypedDict, total=False):
    cache_control: CacheControlEphemeralParam | None


# Text and its citations


class _DocumentLocationParam(TypedDict):
    cited_text: str
    document_index: int
    document_title: str | None


class CitationCharLocationParam(_DocumentLocationParam):
    """A range of characters in a plain text document. Characters are counted from 0, and the end is exclusive."""

    type: Literal["char_location"]
    start_char_index: int
    end_char_index: int


class CitationPageLocationParam(_DocumentLocationParam):
    """A range of pages in a PDF. Pages are counted from 1, and the end is exclusive."""

    type: Literal["page_location"]
    start_page_number: int
    end_page_number: int


class CitationContentBlockLocationParam(_DocumentLocationParam):
    """A range of blocks in a document of blocks. Blocks are counted from 0, and the end is exclusive."""

    type: Literal["content_block_location"]
    start_block_index: int
    end_block_index: int


class CitationWebSearchResultLocationParam(TypedDict):
    """A page that a web search found."""

    type: Literal["web_search_result_location"]
    cited_text: str
    encrypted_index: str
    title: str | None
    url: str


class CitationSearchResultLocationParam(TypedDict):
    """A range of blocks in a `search_result` block."""

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
    citations: Items[TextCitationParam] | None


# Images and documents


class Base64ImageSourceParam(TypedDict):
    """An image, encoded in base64."""

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
    """What to do with an image that is too large: scale it down, or fail."""

    oversized_image: Literal["downsize", "error"]


class ImageBlockParam(_Cacheable, total=False):
    """An image."""

    type: Required[Literal["image"]]
    source: Required[Base64ImageSourceParam | URLImageSourceParam | FileImageSourceParam]
    transformations: ImageTransformationsParam | None


class Base64PDFSourceParam(TypedDict):
    """A PDF, encoded in base64."""

    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


class PlainTextSourceParam(TypedDict):
    """A document of plain text."""

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
    """A document that consists of blocks, which citations refer to by position."""

    type: Literal["content"]
    content: str | Items[ContentBlockSourceContentParam]


class CitationsConfigParam(TypedDict, total=False):
    """Whether the model can cite this document."""

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
    """A search result of your program, for the model to cite."""

    type: Required[Literal["search_result"]]
    content: Required[Items[TextBlockParam]]
    source: Required[str]
    title: Required[str]
    citations: CitationsConfigParam


class ContainerUploadBlockParam(_Cacheable, total=False):
    """A file to upload to the container in which code runs."""

    type: Required[Literal["container_upload"]]
    file_id: Required[str]


# Thinking and tool use


class ThinkingBlockParam(TypedDict):
    """Thinking of an earlier answer, unchanged."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlockParam(TypedDict):
    """Encrypted thinking of an earlier answer, unchanged."""

    type: Literal["redacted_thinking"]
    data: str


class DirectCallerParam(TypedDict):
    """The caller of a tool that the model called itself."""

    type: Literal["direct"]


class ServerToolCallerParam(TypedDict):
    """The caller of a tool that was called by code; `tool_id` is the tool use that ran the code."""

    type: Literal["code_execution_20250825"]
    tool_id: str


class ServerToolCaller20260120Param(TypedDict):
    """The caller of a tool that was called by code; `tool_id` is the tool use that ran the code."""

    type: Literal["code_execution_20260120"]
    tool_id: str


_CallerParam: TypeAlias = DirectCallerParam | ServerToolCallerParam | ServerToolCaller20260120Param


class ToolUseBlockParam(_Cacheable, total=False):
    """A call of a tool that your program runs."""

    type: Required[Literal["tool_use"]]
    id: Required[str]
    name: Required[str]
    input: Required[Mapping[str, Any]]
    caller: _CallerParam
    toolset_name: str | None


class ServerToolUseBlockParam(_Cacheable, total=False):
    """A call of a tool that the API runs."""

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
    """The name of a tool that a tool search found."""

    type: Required[Literal["tool_reference"]]
    tool_name: Required[str]


class ToolResultBlockParam(_Cacheable, total=False):
    """The result of a tool that your program ran, for the tool use with the identifier `tool_use_id`."""

    type: Required[Literal["tool_result"]]
    tool_use_id: Required[str]
    content: (
        str
        | Items[
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

MessageContentParam: TypeAlias = str | Items[ContentBlockParam | ContentBlock]
"""Text or blocks. Blocks can be dicts or objects from an answer."""


class UserMessageParam(TypedDict):
    """A turn of the user."""

    role: Literal["user"]
    content: MessageContentParam


class AssistantMessageParam(TypedDict):
    """A turn of the model, such as `{"role": "assistant", "content": message.content}`."""

    role: Literal["assistant"]
    content: MessageContentParam


class SystemMessageParam(TypedDict):
    """Instructions between two turns."""

    role: Literal["system"]
    content: str | Items[TextBlockParam | TextBlock]


MessageParam: TypeAlias = Annotated[UserMessageParam | AssistantMessageParam | SystemMessageParam, ByRole()]
"""One turn. In `messages`, a `Message` can be used directly too."""


keep_unknown_keys(globals())
