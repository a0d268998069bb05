"""The content blocks that say what happened to the conversation: compaction, and the fallback to another model.

Source: https://docs.claude.com/en/api/messages and `anthropic.types`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from streamcore._objects.immutable import immutable
from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, wire_field


class UnknownToolChange(Unknown):
    """A change of the tools of a type that this version of streamcore does not know."""

    __slots__ = ()


@frozen(kw_only=True)
class ToolAdditionBlock(WireObject):
    """A tool that was added during the conversation.

    Attributes:
        tool: The reference or definition of the tool, as JSON.
    """

    type: Literal["tool_addition"] = "tool_addition"

    tool: dict[str, Any] = attrs.field(converter=immutable)


@frozen(kw_only=True)
class ToolRemovalBlock(WireObject):
    """A tool that was removed during the conversation.

    Attributes:
        tool: The reference of the tool, as JSON.
    """

    type: Literal["tool_removal"] = "tool_removal"

    tool: dict[str, Any] = attrs.field(converter=immutable)


ToolChange: TypeAlias = ToolAdditionBlock | ToolRemovalBlock | UnknownToolChange


@frozen(kw_only=True)
class CompactionBlock(WireObject):
    """A summary that replaces the conversation before it.

    Attributes:
        content: The summary, or None if the compaction failed.
        encrypted_content: The opaque form of the summary, to be sent back unchanged.
        signature: An opaque proof that lets the API accept the block when it is sent back.
        tool_changes: The tools that were added and removed in the replaced conversation.
    """

    type: Literal["compaction"] = "compaction"

    content: str | None = wire_field(null=True)
    encrypted_content: str | None = None
    signature: str | None = None
    tool_changes: list[ToolChange] | None = None


@frozen(kw_only=True)
class FallbackInfo(WireObject):
    """One side of a fallback: the model before it or after it."""

    model: str


class UnknownTrigger(Unknown):
    """A trigger of a type that this version of streamcore does not know."""

    __slots__ = ()


@frozen(kw_only=True)
class FallbackRefusalTrigger(WireObject):
    """The trigger of a fallback whose first model refused."""

    type: Literal["refusal"] = "refusal"

    category: str | None = wire_field(null=True)


FallbackTrigger: TypeAlias = FallbackRefusalTrigger | UnknownTrigger


@frozen(kw_only=True)
class FallbackBlock(WireObject):
    """The point where another model takes over.

    Attributes:
        from_: The model before this point. On the wire the name is `from`.
        to: The model after this point, which is also `Message.model` from then on.
        trigger: Why the model changed.
    """

    type: Literal["fallback"] = "fallback"

    from_: FallbackInfo = attrs.field(metadata={"key": "from"})
    to: FallbackInfo
    trigger: FallbackTrigger | None = None
