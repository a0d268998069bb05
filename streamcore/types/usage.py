"""Token counts of a message, of a `message_delta` event, and their parts.

All counts are in tokens unless their name says otherwise. Those in a `message_delta` event are totals for the whole
message so far, not increments. Source: https://docs.claude.com/en/api/messages and `anthropic.types`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from streamcore.types._frozen import frozen
from streamcore.types.base import Unknown, WireObject


@frozen(kw_only=True)
class CacheCreation(WireObject):
    """The input tokens written to the prompt cache, by time to live.

    Attributes:
        ephemeral_1h_input_tokens: Tokens kept for one hour.
        ephemeral_5m_input_tokens: Tokens kept for five minutes.
    """

    ephemeral_1h_input_tokens: int | None = None
    ephemeral_5m_input_tokens: int | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """Return a count by its name, as of a dict.

        langchain-anthropic asks in this way unless the object is a model of pydantic.
        """
        found = getattr(self, name, None)
        return default if found is None else found


@frozen(kw_only=True)
class OutputTokensDetails(WireObject):
    """A breakdown of the output tokens.

    Attributes:
        thinking_tokens: Tokens that the model spent on thinking.
    """

    thinking_tokens: int | None = None


@frozen(kw_only=True)
class ServerToolUsage(WireObject):
    """The number of requests (not tokens) that server tools made."""

    web_fetch_requests: int | None = None
    web_search_requests: int | None = None


@frozen(kw_only=True)
class FallbackCreditRedeemed(WireObject):
    """The status of a fallback credit that was used for this message."""

    type: Literal["redeemed"] = "redeemed"


@frozen(kw_only=True)
class FallbackCreditNotApplied(WireObject):
    """The status of a fallback credit that was not used for this message.

    Attributes:
        reason: Why not, such as `"expired"`.
        remove_to_redeem: The request fields to remove so that a retry can use the credit.
    """

    type: Literal["not_applied"] = "not_applied"

    reason: str
    remove_to_redeem: list[str] | None = None


class UnknownFallbackCreditStatus(Unknown):
    """A status of a type that this version of streamcore does not know."""

    __slots__ = ()


FallbackCreditStatus: TypeAlias = FallbackCreditRedeemed | FallbackCreditNotApplied | UnknownFallbackCreditStatus


@frozen(kw_only=True)
class FallbackCreditUsage(WireObject):
    """The outcome of using the credit that an earlier, refused attempt had left."""

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
    """The token counts of one sampling of the model within the message."""

    type: Literal["message"] = "message"

    model: str | None = None


@frozen(kw_only=True)
class CompactionIterationUsage(_IterationUsage):
    """The token counts of compacting the conversation, not the size of what was compacted."""

    type: Literal["compaction"] = "compaction"


@frozen(kw_only=True)
class AdvisorMessageIterationUsage(_IterationUsage):
    """The token counts of one call of the advisor."""

    type: Literal["advisor_message"] = "advisor_message"

    model: str | None = None


@frozen(kw_only=True)
class FallbackMessageIterationUsage(_IterationUsage):
    """The token counts of one sampling of a fallback model."""

    type: Literal["fallback_message"] = "fallback_message"

    model: str | None = None


class UnknownIterationUsage(Unknown):
    """The token counts of an iteration of a type that this version of streamcore does not know."""

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
    """The totals so far, as a `message_delta` event gives them.

    A total replaces the earlier one; an absent field changes nothing. It may have every field of `Usage`, as gateways
    send all of them.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    fallback_credit: FallbackCreditUsage | None = None
    inference_geo: str | None = None
    iterations: list[IterationUsage] | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: ServerToolUsage | None = None
    service_tier: Literal["standard", "priority", "batch"] | None = None
    speed: Literal["standard", "fast"] | None = None


@frozen(kw_only=True)
class Usage(WireObject):
    """The token counts of a message.

    Attributes:
        input_tokens: Input tokens, without those read from or written to the prompt cache.
        output_tokens: Output tokens, including thinking.
        cache_creation: The tokens written to the prompt cache, by time to live.
        cache_creation_input_tokens: Input tokens written to the prompt cache.
        cache_read_input_tokens: Input tokens read from the prompt cache.
        fallback_credit: The outcome of using the credit that a refused attempt had left.
        inference_geo: The region where inference ran.
        iterations: The counts of each iteration, where the API sampled more than once.
        output_tokens_details: A breakdown of the output tokens.
        server_tool_use: The number of requests that server tools made.
        service_tier: The tier that served the request.
        speed: The inference speed that was used.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation: CacheCreation | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    fallback_credit: FallbackCreditUsage | None = None
    inference_geo: str | None = None
    iterations: list[IterationUsage] | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: ServerToolUsage | None = None
    service_tier: Literal["standard", "priority", "batch"] | None = None
    speed: Literal["standard", "fast"] | None = None
