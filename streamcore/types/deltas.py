"""The deltas of a content block: what a `content_block_delta` event adds to the block it names.

How each is applied stands in one table, in `streamcore.block_builder`.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from streamcore.types._base import Unknown, WireObject
from streamcore.types._frozen import frozen
from streamcore.types.citations import TextCitation

__all__ = [
    "CitationsDelta",
    "CompactionDelta",
    "ContentBlockDelta",
    "InputJSONDelta",
    "SignatureDelta",
    "TextDelta",
    "ThinkingDelta",
    "UnknownDelta",
]


@frozen(kw_only=True)
class TextDelta(WireObject):
    """More of a text block's text."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"

    text: str


@frozen(kw_only=True)
class InputJSONDelta(WireObject):
    """More of the JSON text of a tool's input; cut anywhere, and often empty."""

    type: ClassVar[Literal["input_json_delta"]] = "input_json_delta"

    partial_json: str


@frozen(kw_only=True)
class ThinkingDelta(WireObject):
    """More of a thinking block's text."""

    type: ClassVar[Literal["thinking_delta"]] = "thinking_delta"

    thinking: str

    @property
    def estimated_tokens(self) -> int | None:
        """The API's estimate of the tokens in this delta, where it gives one.

        Kept among the `extra` fields: a default of its own would cost every thinking delta without one as much time
        as decoding it does.
        """
        return self.extra.get("estimated_tokens")


@frozen(kw_only=True)
class SignatureDelta(WireObject):
    """The signature of a thinking block, whole."""

    type: ClassVar[Literal["signature_delta"]] = "signature_delta"

    signature: str


@frozen(kw_only=True)
class CitationsDelta(WireObject):
    """One more citation of a text block."""

    type: ClassVar[Literal["citations_delta"]] = "citations_delta"

    citation: TextCitation


@frozen(kw_only=True)
class CompactionDelta(WireObject):
    """More of a compaction block's summary, and its opaque form, whole."""

    type: ClassVar[Literal["compaction_delta"]] = "compaction_delta"

    content: str | None = None
    encrypted_content: str | None = None


class UnknownDelta(Unknown):
    """A delta of a type that is new to this version of streamcore."""

    __slots__ = ()


ContentBlockDelta: TypeAlias = (
    TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta | CompactionDelta | UnknownDelta
)
