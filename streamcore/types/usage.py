"""Token counts: of a message, of a `message_delta`, and their parts. All counts are in tokens unless named otherwise.

Counts in a `message_delta` are cumulative totals of the whole message, not increments.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from streamcore.types._base import Unknown, WireObject
from streamcore.types._frozen import frozen

__all__ = [
    "AdvisorMessageIterationUsage",
    "CacheCreation",
    "CompactionIterationUsage",
    "FallbackCreditNotApplied",
    "FallbackCreditRedeemed",
    "FallbackCreditStatus",
    "FallbackCreditUsage",
    "FallbackMessageIterationUsage",
    "IterationUsage",
    "MessageDeltaUsage",
    "MessageIterationUsage",
    "OutputTokensDetails",
    "ServerToolUsage",
    "UnknownFallbackCreditStatus",
    "UnknownIterationUsage",
    "Usage",
]


@frozen(kw_only=True)
class CacheCreation(WireObject):
    """Input tokens written to the prompt cache, by time to live."""

    ephemeral_1h_input_tokens: int | None = None
    ephemeral_5m_input_tokens: int | None = None


@frozen(kw_only=True)
class OutputTokensDetails(WireObject):
    """What the output tokens were spent on."""

    thinking_tokens: int | None = None


@frozen(kw_only=True)
class ServerToolUsage(WireObject):
    """Requests (not tokens) that server tools made."""

    web_fetch_requests: int | None = None
    web_search_requests: int | None = None


@frozen(kw_only=True)
class FallbackCreditRedeemed(WireObject):
    """The credit for a refused attempt was used."""

    type: ClassVar[Literal["redeemed"]] = "redeemed"


@frozen(kw_only=True)
class FallbackCreditNotApplied(WireObject):
    """The credit for a refused attempt was not used, and why."""

    type: ClassVar[Literal["not_applied"]] = "not_applied"

    reason: str
    remove_to_redeem: tuple[str, ...] | None = None


class UnknownFallbackCreditStatus(Unknown):
    """A status that is new to this version of streamcore."""

    __slots__ = ()


FallbackCreditStatus: TypeAlias = FallbackCreditRedeemed | FallbackCreditNotApplied | UnknownFallbackCreditStatus


@frozen(kw_only=True)
class FallbackCreditUsage(WireObject):
    """What became of the credit that a refused attempt left."""

    status: FallbackCreditStatus


@frozen(kw_only=True)
class _IterationUsage(WireObject):
    input_tokens: int
    output_tokens: int
    cache_creation: CacheCreation | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


@frozen(kw_only=True)
class MessageIterationUsage(_IterationUsage):
    """Counts of one sampling of the model within the message."""

    type: ClassVar[Literal["message"]] = "message"

    model: str | None = None


@frozen(kw_only=True)
class CompactionIterationUsage(_IterationUsage):
    """Counts of a compaction of the conversation."""

    type: ClassVar[Literal["compaction"]] = "compaction"


@frozen(kw_only=True)
class AdvisorMessageIterationUsage(_IterationUsage):
    """Counts of a call of the advisor."""

    type: ClassVar[Literal["advisor_message"]] = "advisor_message"

    model: str | None = None


@frozen(kw_only=True)
class FallbackMessageIterationUsage(_IterationUsage):
    """Counts of one sampling of a fallback model."""

    type: ClassVar[Literal["fallback_message"]] = "fallback_message"

    model: str | None = None


class UnknownIterationUsage(Unknown):
    """Counts of a kind of iteration that is new to this version of streamcore."""

    __slots__ = ()


IterationUsage: TypeAlias = (
    MessageIterationUsage
    | CompactionIterationUsage
    | AdvisorMessageIterationUsage
    | FallbackMessageIterationUsage
    | UnknownIterationUsage
)


@frozen(kw_only=True)
class MessageDeltaUsage(WireObject):
    """Counts so far, as a `message_delta` gives them: a total replaces what is known, an absent one changes nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    fallback_credit: FallbackCreditUsage | None = None
    iterations: tuple[IterationUsage, ...] | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: ServerToolUsage | None = None


@frozen(kw_only=True)
class Usage(WireObject):
    """Counts of a message. Tokens read from and written to the cache are not among `input_tokens`."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation: CacheCreation | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    fallback_credit: FallbackCreditUsage | None = None
    inference_geo: str | None = None
    iterations: tuple[IterationUsage, ...] | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: ServerToolUsage | None = None
    service_tier: Literal["standard", "priority", "batch"] | None = None
    speed: Literal["standard", "fast"] | None = None
