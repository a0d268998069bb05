"""Citations of a text block: where in the request's documents or search results a claim comes from.

Indices are zero-based, page numbers one-based; ends are exclusive. Source: the API's documentation of citations.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from streamcore.types._base import Unknown, WireObject, wire_field
from streamcore.types._frozen import frozen

__all__ = [
    "CitationCharLocation",
    "CitationContentBlockLocation",
    "CitationPageLocation",
    "CitationsSearchResultLocation",
    "CitationsWebSearchResultLocation",
    "TextCitation",
    "UnknownCitation",
]


@frozen(kw_only=True)
class CitationCharLocation(WireObject):
    """A range of characters in a plain text document."""

    type: ClassVar[Literal["char_location"]] = "char_location"

    cited_text: str
    document_index: int
    document_title: str | None = wire_field(null=True)
    start_char_index: int
    end_char_index: int
    file_id: str | None = wire_field(response_only=True)


@frozen(kw_only=True)
class CitationPageLocation(WireObject):
    """A range of pages in a PDF document."""

    type: ClassVar[Literal["page_location"]] = "page_location"

    cited_text: str
    document_index: int
    document_title: str | None = wire_field(null=True)
    start_page_number: int
    end_page_number: int
    file_id: str | None = wire_field(response_only=True)


@frozen(kw_only=True)
class CitationContentBlockLocation(WireObject):
    """A range of content blocks in a document given as blocks."""

    type: ClassVar[Literal["content_block_location"]] = "content_block_location"

    cited_text: str
    document_index: int
    document_title: str | None = wire_field(null=True)
    start_block_index: int
    end_block_index: int
    file_id: str | None = wire_field(response_only=True)


@frozen(kw_only=True)
class CitationsWebSearchResultLocation(WireObject):
    """A page that a web search found."""

    type: ClassVar[Literal["web_search_result_location"]] = "web_search_result_location"

    cited_text: str
    encrypted_index: str
    title: str | None = wire_field(null=True)
    url: str


@frozen(kw_only=True)
class CitationsSearchResultLocation(WireObject):
    """A range of blocks in a search result that the request supplied."""

    type: ClassVar[Literal["search_result_location"]] = "search_result_location"

    cited_text: str
    search_result_index: int
    source: str
    title: str | None = wire_field(null=True)
    start_block_index: int
    end_block_index: int


class UnknownCitation(Unknown):
    """A citation of a type that is new to this version of streamcore."""

    __slots__ = ()


TextCitation: TypeAlias = (
    CitationCharLocation
    | CitationPageLocation
    | CitationContentBlockLocation
    | CitationsWebSearchResultLocation
    | CitationsSearchResultLocation
    | UnknownCitation
)
