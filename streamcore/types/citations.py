"""Citations of a text block: the place in the request's documents or in search results that supports a claim.

Characters and blocks are counted from 0, pages from 1. The end of a range is exclusive. Source:
https://docs.claude.com/en/docs/build-with-claude/citations and `anthropic.types`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, wire_field


@frozen(kw_only=True)
class _DocumentLocation(WireObject):
    """A range of a document.

    Attributes:
        cited_text: The text of the range.
        document_index: The position of the document among those of the request, from 0.
    """

    cited_text: str
    document_index: int
    document_title: str | None = wire_field(null=True)
    file_id: str | None = wire_field(response_only=True)


@frozen(kw_only=True)
class CitationCharLocation(_DocumentLocation):
    """A range of characters in a plain text document.

    Attributes:
        start_char_index: The first character, from 0.
        end_char_index: The character after the last one.
    """

    type: Literal["char_location"] = "char_location"

    start_char_index: int
    end_char_index: int


@frozen(kw_only=True)
class CitationPageLocation(_DocumentLocation):
    """A range of pages in a PDF.

    Attributes:
        start_page_number: The first page, from 1.
        end_page_number: The page after the last one.
    """

    type: Literal["page_location"] = "page_location"

    start_page_number: int
    end_page_number: int


@frozen(kw_only=True)
class CitationContentBlockLocation(_DocumentLocation):
    """A range of blocks in a document that consists of content blocks.

    Attributes:
        start_block_index: The first block, from 0.
        end_block_index: The block after the last one.
    """

    type: Literal["content_block_location"] = "content_block_location"

    start_block_index: int
    end_block_index: int


@frozen(kw_only=True)
class CitationsWebSearchResultLocation(WireObject):
    """A page that a web search found.

    Attributes:
        cited_text: The part of the page that is cited.
        encrypted_index: An opaque reference that the API needs when the citation is sent back.
    """

    type: Literal["web_search_result_location"] = "web_search_result_location"

    cited_text: str
    encrypted_index: str | None
    title: str | None = wire_field(null=True)
    url: str


@frozen(kw_only=True)
class CitationsSearchResultLocation(WireObject):
    """A range of blocks in a search result that the request contained.

    Attributes:
        cited_text: The text of the range.
        search_result_index: The position of the search result among those of the request, from 0.
        source: The source that the search result names.
        start_block_index: The first block, from 0.
        end_block_index: The block after the last one.
    """

    type: Literal["search_result_location"] = "search_result_location"

    cited_text: str
    search_result_index: int
    source: str
    title: str | None = wire_field(null=True)
    start_block_index: int
    end_block_index: int


class UnknownCitation(Unknown):
    """A citation of a type that this version of streamcore does not know."""

    __slots__ = ()


TextCitation: TypeAlias = (
    CitationCharLocation
    | CitationPageLocation
    | CitationContentBlockLocation
    | CitationsWebSearchResultLocation
    | CitationsSearchResultLocation
    | UnknownCitation
)
