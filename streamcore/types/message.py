"""The message, and what it says about itself: container, stop details, context management, diagnostics."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from streamcore.types._base import Unknown, WireObject, absent, plain, wire_field
from streamcore.types._frozen import frozen
from streamcore.types.blocks import ContentBlock, TextBlock
from streamcore.types.usage import Usage

__all__ = [
    "CacheMiss",
    "ClearThinking20251015EditResponse",
    "ClearToolUses20250919EditResponse",
    "Container",
    "ContainerSkill",
    "ContextManagementEdit",
    "ContextManagementResponse",
    "Diagnostics",
    "Message",
    "ParsedMessage",
    "RefusalStopDetails",
    "StopDetails",
    "StopReason",
    "UnknownContextManagementEdit",
    "UnknownStopDetails",
]

StopReason: TypeAlias = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "compaction",
    "refusal",
    "model_context_window_exceeded",
]
"""Why the model stopped. A reason that is new to this version of streamcore comes through as the string it is."""


@frozen(kw_only=True)
class ContainerSkill(WireObject):
    """A skill loaded in the container; `type` is `"anthropic"` or `"custom"`."""

    type: str
    skill_id: str
    version: str


@frozen(kw_only=True)
class Container(WireObject):
    """The container that code ran in. `expires_at` is an ISO 8601 time, as it came."""

    id: str
    expires_at: str
    skills: tuple[ContainerSkill, ...] | None = wire_field(null=True)


class UnknownStopDetails(Unknown):
    """Stop details of a type that is new to this version of streamcore."""

    __slots__ = ()


@frozen(kw_only=True)
class RefusalStopDetails(WireObject):
    """Why the model refused, and what may be tried instead."""

    type: ClassVar[Literal["refusal"]] = "refusal"

    category: str | None = wire_field(null=True)
    explanation: str | None = wire_field(null=True)
    fallback_credit_token: str | None = None
    fallback_has_prefill_claim: bool | None = None
    recommended_model: str | None = None


StopDetails: TypeAlias = RefusalStopDetails | UnknownStopDetails


class UnknownContextManagementEdit(Unknown):
    """An edit of a type that is new to this version of streamcore."""

    __slots__ = ()


@frozen(kw_only=True)
class ClearToolUses20250919EditResponse(WireObject):
    """Old tool uses were cleared. Counts are of tokens and of tool uses."""

    type: ClassVar[Literal["clear_tool_uses_20250919"]] = "clear_tool_uses_20250919"

    cleared_input_tokens: int
    cleared_tool_uses: int


@frozen(kw_only=True)
class ClearThinking20251015EditResponse(WireObject):
    """Old thinking was cleared. Counts are of tokens and of turns."""

    type: ClassVar[Literal["clear_thinking_20251015"]] = "clear_thinking_20251015"

    cleared_input_tokens: int
    cleared_thinking_turns: int


ContextManagementEdit: TypeAlias = (
    ClearToolUses20250919EditResponse | ClearThinking20251015EditResponse | UnknownContextManagementEdit
)


@frozen(kw_only=True)
class ContextManagementResponse(WireObject):
    """What the API removed from the context before the model read it."""

    applied_edits: tuple[ContextManagementEdit, ...] = ()


@frozen(kw_only=True)
class CacheMiss(WireObject):
    """Why the prompt cache was missed; `type` is the reason (`"model_changed"`, `"system_changed"`, ...)."""

    type: str
    cache_missed_input_tokens: int | None = None


@frozen(kw_only=True)
class Diagnostics(WireObject):
    """What the API noticed about the request."""

    cache_miss_reason: CacheMiss | None = wire_field(null=True)


OutputT = TypeVar("OutputT", default=Any)
"""The class of a message's output, which a type checker may know of: `Message[Report]`."""


@frozen(kw_only=True)
class Message(WireObject, Generic[OutputT]):
    """The model's answer.

    Attributes:
        content: The content blocks, in the order of their indices.
        input_transformations: Changes that the API made to the request's input before the model read it, as JSON.
    """

    type: ClassVar[Literal["message"]] = "message"

    id: str
    model: str
    role: Literal["assistant"] = "assistant"
    content: tuple[ContentBlock, ...] = ()
    stop_reason: StopReason | None = wire_field(null=True)
    stop_sequence: str | None = wire_field(null=True)
    stop_details: StopDetails | None = None
    usage: Usage = absent(Usage)
    container: Container | None = None
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: tuple[dict[str, Any], ...] | None = None

    @property
    def parsed_output(self) -> OutputT | None:
        """What the text says, of the class that was asked for by `output_format`: the `parsed_output` of the first text
        block that has one.
        """
        for block in self.content:
            if isinstance(block, TextBlock) and block.parsed_output is not None:
                output: OutputT = block.parsed_output
                return output
        return None

    def to_param(self) -> dict[str, Any]:
        """This message as an entry of the next request's `messages`: its role and its content."""
        return {"role": self.role, "content": [plain(block, as_param=True) for block in self.content]}


ParsedMessage = Message
"""The same class: a message has its parsed output without becoming a different type."""
