"""The message and its own properties: container, stop details, context management and diagnostics.

Source: https://docs.claude.com/en/api/messages and `anthropic.types`.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from streamcore._objects.immutable import ImmutableList, immutable_items
from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject, absent, plain, wire_field
from streamcore.types.blocks import ContentBlock, TextBlock
from streamcore.types.usage import Usage

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
"""Why the model stopped. At run time it can also be another string, since the API may add reasons."""


@frozen(kw_only=True)
class ContainerSkill(WireObject):
    """A skill that is loaded in the container.

    Attributes:
        type: `"anthropic"` or `"custom"`.
        skill_id: The identifier of the skill.
        version: The version that was loaded.
    """

    type: str
    skill_id: str
    version: str


@frozen(kw_only=True)
class Container(WireObject):
    """The container in which code ran.

    Attributes:
        id: The identifier with which a later request can use the container again.
        expires_at: When the container is deleted, as an ISO 8601 time.
        skills: The skills that are loaded in it.
    """

    id: str
    expires_at: str
    skills: list[ContainerSkill] | None = wire_field(null=True)


class UnknownStopDetails(Unknown):
    """Stop details of a type that this version of streamcore does not know."""

    __slots__ = ()


@frozen(kw_only=True)
class RefusalStopDetails(WireObject):
    """The reason for a refusal, and what can be tried instead.

    Attributes:
        category: The policy category that caused the refusal.
        explanation: The reason in words. Its wording is not stable.
        fallback_credit_token: An opaque token that refunds the cost of the cache miss when the request is retried on a
            fallback model. It expires after five minutes.
        fallback_has_prefill_claim: Whether that retry can continue the content so far as an assistant turn.
        recommended_model: A fallback model to retry on, if the API could not try it itself.
    """

    type: Literal["refusal"] = "refusal"

    category: str | None = wire_field(null=True)
    explanation: str | None = wire_field(null=True)
    fallback_credit_token: str | None = None
    fallback_has_prefill_claim: bool | None = None
    recommended_model: str | None = None


StopDetails: TypeAlias = RefusalStopDetails | UnknownStopDetails


class UnknownContextManagementEdit(Unknown):
    """An edit of a type that this version of streamcore does not know."""

    __slots__ = ()


@frozen(kw_only=True)
class ClearToolUses20250919EditResponse(WireObject):
    """The removal of old tool uses from the context.

    Attributes:
        cleared_input_tokens: The number of input tokens removed.
        cleared_tool_uses: The number of tool uses removed.
    """

    type: Literal["clear_tool_uses_20250919"] = "clear_tool_uses_20250919"

    cleared_input_tokens: int
    cleared_tool_uses: int


@frozen(kw_only=True)
class ClearThinking20251015EditResponse(WireObject):
    """The removal of old thinking from the context.

    Attributes:
        cleared_input_tokens: The number of input tokens removed.
        cleared_thinking_turns: The number of turns whose thinking was removed.
    """

    type: Literal["clear_thinking_20251015"] = "clear_thinking_20251015"

    cleared_input_tokens: int
    cleared_thinking_turns: int


ContextManagementEdit: TypeAlias = (
    ClearToolUses20250919EditResponse | ClearThinking20251015EditResponse | UnknownContextManagementEdit
)


@frozen(kw_only=True)
class ContextManagementResponse(WireObject):
    """The edits that the API made to the context before the model read it."""

    applied_edits: list[ContextManagementEdit] = wire_field(default=ImmutableList())


@frozen(kw_only=True)
class CacheMiss(WireObject):
    """The reason for a miss of the prompt cache.

    Attributes:
        type: The reason, such as `"model_changed"` or `"system_changed"`.
        cache_missed_input_tokens: About how many input tokens could otherwise have come from the cache.
    """

    type: str
    cache_missed_input_tokens: int | None = None


@frozen(kw_only=True)
class Diagnostics(WireObject):
    """What the API noticed about the request."""

    cache_miss_reason: CacheMiss | None = wire_field(null=True)


OutputT = TypeVar("OutputT", default=Any)
"""The class of the parsed output, for type checkers: `Message[Report]`."""


@frozen(kw_only=True)
class Message(WireObject, Generic[OutputT]):
    """The answer of the model.

    Attributes:
        content: The content blocks, in the order of their indices.
        stop_reason: Why the model stopped, or None while the message is incomplete.
        stop_sequence: The stop sequence that ended the message, if one did.
        stop_details: Details about the stop reason.
        usage: The token counts so far.
        container: The container in which code ran.
        context_management: What the API removed from the context before the model read it.
        diagnostics: What the API noticed about the request.
        input_transformations: Changes that the API made to the input before the model read it, and blocks that failed a
            check but were kept, as JSON.
        response_ids: The ids in the headers of an answer that was not streamed: of the request, and of the workspace.
            They have no wire form.
    """

    type: Literal["message"] = "message"

    id: str
    model: str
    role: Literal["assistant"] = "assistant"
    content: list[ContentBlock] = wire_field(default=ImmutableList())
    stop_reason: StopReason | None = wire_field(null=True)
    stop_sequence: str | None = wire_field(null=True)
    stop_details: StopDetails | None = None
    usage: Usage = absent(Usage)
    container: Container | None = None
    context_management: ContextManagementResponse | None = None
    diagnostics: Diagnostics | None = None
    input_transformations: list[dict[str, Any]] | None = wire_field(converter=immutable_items)
    response_ids: tuple[str | None, str | None] = wire_field(default=(None, None), local=True, shown=False)

    @property
    def _request_id(self) -> str | None:
        """The id to give Anthropic when you ask about this answer, if it was not streamed."""
        return self.response_ids[0]

    @property
    def _workspace_id(self) -> str | None:
        """The workspace that the API key belongs to, if the answer was not streamed and says so."""
        return self.response_ids[1]

    @property
    def parsed_output(self) -> OutputT | None:
        """The `parsed_output` of the first text block that has one.

        It is an object of the class given as `output_format`.
        """
        for block in self.content:
            if isinstance(block, TextBlock) and block.parsed_output is not None:
                output: OutputT = block.parsed_output
                return output
        return None

    def to_param(self) -> dict[str, Any]:
        """Return this message as an entry of `messages` in the next request: its role and its content."""
        return {"role": self.role, "content": [plain(block, as_param=True) for block in self.content]}


ParsedMessage = Message
"""The same class: a message has its parsed output without becoming a different type."""
