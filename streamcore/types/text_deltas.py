"""The deltas that add text to a block. Nearly all events of a stream are such deltas.

The fast path of the codec (`codec/_fast_delta.py`), the rules of the accumulator (`accumulator/_deltas.py`) and the
derived events of streams (`stream/_derived.py`) follow from this table: a new delta that adds text is a row here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from streamcore.types.blocks import (
    MCPToolUseBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)
from streamcore.types.deltas import InputJSONDelta, TextDelta, ThinkingDelta
from streamcore.types.derived import InputJsonEvent, TextEvent, ThinkingEvent

__all__ = ["TEXT_DELTAS", "TextDeltaRow"]


class TextDeltaRow(NamedTuple):
    """One type of delta that adds text.

    Attributes:
        delta: Its class. It has no fields but its type and the text.
        source: The field of the delta that has the text. Its derived event has the text under the same name.
        blocks: The classes of the blocks that it may come to.
        target: The field of the block that the text goes to.
        is_json: Whether the text is JSON, and the field is its value.
        derived: The class of its derived event.
    """

    delta: type[Any]
    source: str
    blocks: tuple[type[Any], ...]
    target: str
    is_json: bool
    derived: type[Any]


_TOOL_USE = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)

TEXT_DELTAS: dict[str, TextDeltaRow] = {
    "text_delta": TextDeltaRow(TextDelta, "text", (TextBlock,), "text", False, TextEvent),
    "thinking_delta": TextDeltaRow(ThinkingDelta, "thinking", (ThinkingBlock,), "thinking", False, ThinkingEvent),
    "input_json_delta": TextDeltaRow(
        InputJSONDelta, "partial_json", (*_TOOL_USE, UnknownBlock), "input", True, InputJsonEvent
    ),
}
