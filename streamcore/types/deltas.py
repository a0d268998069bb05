"""The deltas of a content block: what one `content_block_delta` event adds to the block with its index.

How each delta changes its block is defined in one table of the accumulator.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject
from streamcore.types.citations import TextCitation


@frozen(kw_only=True)
class TextDelta(WireObject):
    """More text of a text block."""

    type: Literal["text_delta"] = "text_delta"

    text: str


@frozen(kw_only=True)
class InputJSONDelta(WireObject):
    """More JSON text of the input of a tool. It is cut at arbitrary places and often empty."""

    type: Literal["input_json_delta"] = "input_json_delta"

    partial_json: str


@frozen(kw_only=True)
class ThinkingDelta(WireObject):
    """More text of a thinking block."""

    type: Literal["thinking_delta"] = "thinking_delta"

    thinking: str

    @property
    def estimated_tokens(self) -> int | None:
        """The API's estimate of the number of tokens in this delta, if it sent one.

        The value stays in `extra`. As a field of its own it would double the time to make a thinking delta without it.
        """
        return self.extra.get("estimated_tokens")


@frozen(kw_only=True)
class SignatureDelta(WireObject):
    """The complete signature of a thinking block."""

    type: Literal["signature_delta"] = "signature_delta"

    signature: str | None


@frozen(kw_only=True)
class CitationsDelta(WireObject):
    """One more citation of a text block."""

    type: Literal["citations_delta"] = "citations_delta"

    citation: TextCitation


@frozen(kw_only=True)
class CompactionDelta(WireObject):
    """A change of a compaction block.

    Attributes:
        content: More of the summary.
        encrypted_content: The complete opaque form of the summary.
    """

    type: Literal["compaction_delta"] = "compaction_delta"

    content: str | None = None
    encrypted_content: str | None = None


class UnknownDelta(Unknown):
    """A delta of a type that this version of streamcore does not know."""

    __slots__ = ()


ContentBlockDelta: TypeAlias = (
    TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta | CompactionDelta | UnknownDelta
)
