"""What each event does to the message, for callers who do their own framing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpers import (
    HELLO,
    PING,
    STOP,
    block_start,
    block_stop,
    body,
    delta,
    drive,
    message_delta,
    partial_json,
    start,
    text,
    tool_start,
)

from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    Limits,
    Message,
    MessageAccumulator,
)
from streamcore.codec import structure_event
from streamcore.types import (
    CacheCreation,
    CitationCharLocation,
    CompactionBlock,
    Container,
    FallbackBlock,
    RefusalStopDetails,
    ServerToolUsage,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers import Payload


def accumulated(payloads: Sequence[Payload], **options: Any) -> MessageAccumulator:
    accumulator = MessageAccumulator(**options)
    for payload in payloads:
        accumulator.apply(payload)
    return accumulator


def message_after(payloads: Sequence[Payload], **options: Any) -> Message:
    message = accumulated(payloads, **options).snapshot
    assert message is not None
    return message


def block_after(block: Payload, *deltas: Payload, stop: bool = True, **options: Any) -> Any:
    """The only block of a message, after its deltas."""
    payloads = [start(), block_start(0, block), *deltas, *([block_stop(0)] if stop else [])]
    (result,) = message_after(payloads, **options).content
    return result


TOOL = {"type": "tool_use", "id": "toolu_0", "name": "search", "input": {}}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def citation(n: int) -> Payload:
    place = {"document_index": n, "document_title": None, "start_char_index": 0, "end_char_index": 1}
    return {"type": "char_location", "cited_text": f"cited {n}", **place}


def cited(n: int) -> CitationCharLocation:
    return CitationCharLocation(
        cited_text=f"cited {n}", document_index=n, document_title=None, start_char_index=0, end_char_index=1
    )


# Deltas


def test_text_is_appended_to_what_the_block_started_with() -> None:
    block = {"type": "text", "text": "Well, "}
    assert block_after(block, text(0, "hel"), text(0, ""), text(0, "lo\n")) == TextBlock(text="Well, hello\n")


def test_line_ends_in_text_are_kept_as_they_are() -> None:
    assert block_after({"type": "text", "text": ""}, text(0, "a\r"), text(0, "\nb\r\n\n")).text == "a\r\nb\r\n\n"


def test_thinking_is_appended() -> None:
    deltas = [delta(0, "thinking_delta", thinking=part) for part in ("I ", "think")]
    assert block_after(THINKING, *deltas) == ThinkingBlock(thinking="I think", signature="")


def test_a_signature_replaces() -> None:
    deltas = [delta(0, "signature_delta", signature=value) for value in ("abc", "xyz")]
    assert block_after(THINKING, *deltas).signature == "xyz"


def test_citations_are_appended_in_order() -> None:
    deltas = [delta(0, "citations_delta", citation=citation(n)) for n in (1, 2)]
    assert block_after({"type": "text", "text": ""}, *deltas).citations == (cited(1), cited(2))
    started = {"type": "text", "text": "", "citations": [citation(0)]}
    assert block_after(started, *deltas).citations == (cited(0), cited(1), cited(2))


def test_text_without_citations_has_none_and_with_an_empty_list_has_an_empty_one() -> None:
    assert block_after({"type": "text", "text": ""}, text(0, "a")).citations is None
    assert block_after({"type": "text", "text": "", "citations": []}, text(0, "a")).citations == ()


def test_compaction_content_is_appended_and_its_opaque_form_replaced() -> None:
    block = {"type": "compaction", "content": None}
    deltas = [
        delta(0, "compaction_delta", content="a", encrypted_content="e1"),
        delta(0, "compaction_delta", content=None, encrypted_content=None),
        delta(0, "compaction_delta", content="b"),
        delta(0, "compaction_delta", encrypted_content="e2"),
    ]
    assert block_after(block, *deltas) == CompactionBlock(content="ab", encrypted_content="e2")
    assert block_after(block) == CompactionBlock(content=None)
    assert block_after(block, delta(0, "compaction_delta", content=None)).content is None


def test_other_fields_of_the_block_are_kept() -> None:
    block = {**TOOL, "caller": {"type": "direct"}, "new": [1]}
    result = block_after(block, partial_json(0, '{"a":1}'))
    assert result.to_dict() == block | {"input": {"a": 1}}


# Tool input

TOOLS = pytest.mark.parametrize(
    "block",
    [
        TOOL,
        TOOL | {"type": "server_tool_use"},
        TOOL | {"type": "mcp_tool_use", "server_name": "s"},
    ],
    ids=lambda block: block["type"],
)


@TOOLS
def test_input_is_the_best_value_of_the_fragments_so_far(block: Payload) -> None:
    accumulator = accumulated([start(), block_start(0, block)])
    seen = []
    for fragment in ["", '{"a', '": [1', ", 2", '], "b": "x', 'y"', "}", ""]:
        accumulator.apply(partial_json(0, fragment))
        assert accumulator.snapshot is not None
        seen.append(accumulator.snapshot.content[0].input)  # type: ignore[union-attr]  # a tool use has one
    assert seen == [
        {},
        {},
        {"a": [1]},
        {"a": [1, 2]},
        {"a": [1, 2]},
        {"a": [1, 2], "b": "xy"},
        {"a": [1, 2], "b": "xy"},
        {"a": [1, 2], "b": "xy"},
    ]


@TOOLS
def test_an_open_string_counts_if_asked_for(block: Payload) -> None:
    fragment = partial_json(0, '{"a": "x')
    assert block_after(block, fragment, stop=False).input == {}
    assert block_after(block, fragment, stop=False, trailing_strings=True).input == {"a": "x"}


@TOOLS
def test_no_fragments_or_empty_ones_leave_the_input_the_block_started_with(block: Payload) -> None:
    assert block_after(block).input == {}
    assert block_after(block, partial_json(0, ""), partial_json(0, "")).input == {}
    assert block_after(block).partial_input is None
    started = block | {"input": {"q": 1}}
    assert block_after(started, partial_json(0, "")).input == {"q": 1}
    assert block_after(started, partial_json(0, '{"a": 1}')).input == {"a": 1}


def test_input_that_is_no_object_is_taken_as_it_is() -> None:
    assert block_after(TOOL, partial_json(0, "null")).input is None
    assert block_after(TOOL, partial_json(0, "[1]")).input == [1]
    assert block_after(TOOL, partial_json(0, '"a"')).input == "a"


def test_integers_in_input_are_exact() -> None:
    assert block_after(TOOL, partial_json(0, '{"a": 12345678901234567890123')).input == {"a": 12345678901234567890123}
    assert block_after(TOOL, partial_json(0, '{"a": 12345678901234567890123}')).input == {"a": 12345678901234567890123}


def test_the_raw_text_is_kept_beside_partial_input_once_the_block_has_stopped() -> None:
    fragments = [partial_json(0, '{"a": 1, "b": '), partial_json(0, '"x')]
    block = block_after(TOOL, *fragments)
    assert block.input == {"a": 1}
    assert block.partial_input == '{"a": 1, "b": "x'
    assert block_after(TOOL, *fragments, stop=False).partial_input is None
    assert block_after(TOOL, *fragments, partial_json(0, '"}')).partial_input is None


def test_the_raw_text_is_kept_when_the_stream_ends_inside_the_input() -> None:
    accumulator = accumulated([start(), tool_start(0), partial_json(0, '{"a": 1, "b": "x')])
    with pytest.raises(IncompleteStreamError) as caught:
        accumulator.end()
    assert caught.value.snapshot == accumulator.snapshot
    assert accumulator.snapshot is not None
    (block,) = accumulator.snapshot.content
    assert isinstance(block, ToolUseBlock)
    assert block.input == {"a": 1}
    assert block.partial_input == '{"a": 1, "b": "x'


def test_wrong_input_is_an_error_with_the_raw_text_when_the_block_stops_and_not_before() -> None:
    accumulator = accumulated([start(), tool_start(0), partial_json(0, '{"a": 1, oops')])
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.content[0].input == {"a": 1}  # type: ignore[union-attr]  # a tool use has one
    with pytest.raises(DecodeError, match="'search'") as caught:
        accumulator.apply(block_stop(0))
    assert caught.value.received == '{"a": 1, oops'
    assert caught.value.index == 0


def test_a_late_fragment_that_makes_the_input_wrong_is_an_error_when_the_message_stops() -> None:
    accumulator = accumulated([start(), tool_start(0), partial_json(0, '{"a": 1}'), block_stop(0)])
    accumulator.apply(partial_json(0, '{"a": 2}'))
    with pytest.raises(DecodeError, match="not valid JSON"):
        accumulator.apply(STOP)
    late = accumulated([start(), tool_start(0), partial_json(0, '{"a"'), block_stop(0), partial_json(0, ": 1}")])
    assert late.snapshot is not None
    assert late.snapshot.content == [ToolUseBlock(id="toolu_0", name="search", input={"a": 1})]


def test_a_late_fragment_counts_though_the_input_was_read_on_the_way() -> None:
    # A text that was read on the way is stored again, in less memory, when its block stops.
    accumulator = MessageAccumulator()
    for event in [start(), tool_start(0), partial_json(0, '{"a": 1,'), partial_json(0, ' "b": 2'), block_stop(0)]:
        accumulator.apply(event)
        assert accumulator.snapshot is not None
    accumulator.apply(partial_json(0, ', "c": 3}'))
    accumulator.apply(message_delta())
    accumulator.apply(STOP)
    assert accumulator.final_message.content == [
        ToolUseBlock(id="toolu_0", name="search", input={"a": 1, "b": 2, "c": 3})
    ]


def test_wrong_input_is_an_error_though_no_one_looked() -> None:
    with pytest.raises(DecodeError, match="not valid JSON"):
        accumulated([start(), tool_start(0), partial_json(0, "{]"), block_stop(0)])
    with pytest.raises(DecodeError, match="not valid JSON"):
        accumulated([start(), tool_start(0), partial_json(0, "{]"), message_delta(), STOP])


def test_input_that_nests_too_deep_is_a_limit_error_and_no_recursion_error() -> None:
    with pytest.raises(LimitExceededError):
        accumulated([start(), tool_start(0), partial_json(0, "[" * 100_000), block_stop(0)])


def test_input_left_incomplete_where_the_tool_is_to_be_used_is_a_violation() -> None:
    payloads = [start(), tool_start(0), partial_json(0, '{"a"'), block_stop(0), message_delta("tool_use"), STOP]
    assert [violation.kind for violation in accumulated(payloads).violations] == ["incomplete_input"]


def test_an_unknown_block_takes_input_and_keeps_its_other_fields() -> None:
    block = {"type": "new", "glow": 1, "input": {"q": 1}}
    assert block_after(block, partial_json(0, '{"a": 1}')) == UnknownBlock(data=block | {"input": {"a": 1}})
    assert block_after(block) == UnknownBlock(data=block)


def test_a_known_delta_on_an_unknown_block_is_a_violation_only() -> None:
    accumulator = accumulated([start(), block_start(0, {"type": "new"}), text(0, "a"), block_stop(0)])
    assert [violation.kind for violation in accumulator.violations] == ["unapplied_delta"]
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.content == [UnknownBlock(data={"type": "new"})]


# Blocks


def test_blocks_may_interleave() -> None:
    payloads = [
        start(),
        block_start(0),
        text(0, "a"),
        tool_start(1),
        text(0, "b"),
        partial_json(1, '{"x"'),
        block_start(2, THINKING),
        text(0, "c"),
        delta(2, "thinking_delta", thinking="t"),
        partial_json(1, ": 1}"),
        block_stop(1),
        text(0, "d"),
        block_stop(0),
        delta(2, "thinking_delta", thinking="u"),
        block_stop(2),
    ]
    assert message_after(payloads).content == [
        TextBlock(text="abcd"),
        ToolUseBlock(id="toolu_1", name="search", input={"x": 1}),
        ThinkingBlock(thinking="tu", signature=""),
    ]


def test_a_block_that_comes_whole_is_kept_whole() -> None:
    results = [{"type": "web_search_result", "title": "t", "url": "u", "encrypted_content": "e", "page_age": None}]
    block = {"type": "web_search_tool_result", "tool_use_id": "1", "content": results}
    assert block_after(block).to_dict() == block


def test_content_that_message_start_already_had_stays_first() -> None:
    payloads = [start(content=[{"type": "text", "text": "before"}]), block_start(1), text(1, "after"), block_stop(1)]
    assert message_after(payloads).content == [TextBlock(text="before"), TextBlock(text="after")]


def test_too_many_blocks_are_a_limit_error() -> None:
    accumulator = MessageAccumulator(limits=Limits(max_blocks=2))
    for payload in [start(), block_start(0), block_start(1)]:
        accumulator.apply(payload)
    with pytest.raises(LimitExceededError, match="2 blocks"):
        accumulator.apply(block_start(2))


# The message itself


def test_usage_counts_are_totals_that_replace_and_absent_or_null_ones_change_nothing() -> None:
    usage: Payload = {
        "input_tokens": 25,
        "output_tokens": 1,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 6,
    }
    usage |= {"service_tier": "standard", "cache_creation": {"ephemeral_1h_input_tokens": 1}}
    deltas = [
        message_delta(usage={"output_tokens": 10, "cache_read_input_tokens": None}),
        message_delta(None, usage={"output_tokens": 15, "cache_creation_input_tokens": 0, "naps": 2}),
        message_delta(None, usage={"server_tool_use": {"web_search_requests": 3}}),
    ]
    result = message_after([start(usage=usage), *deltas]).usage
    assert result.to_dict() == {
        "input_tokens": 25,
        "output_tokens": 15,
        "cache_creation": {"ephemeral_1h_input_tokens": 1},
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 5,
        "server_tool_use": {"web_search_requests": 3},
        "service_tier": "standard",
        "naps": 2,
    }
    assert isinstance(result, Usage)
    assert result.cache_creation == CacheCreation(ephemeral_1h_input_tokens=1)
    assert result.server_tool_use == ServerToolUsage(web_search_requests=3)


def test_the_fields_of_a_message_delta_replace_and_null_ones_change_nothing() -> None:
    first = {"stop_reason": "refusal", "stop_sequence": "x", "stop_details": {"type": "refusal", "category": "c"}}
    second = {"stop_reason": None, "container": {"id": "c1", "expires_at": "2026-01-01T00:00:00Z"}}
    edits = {
        "applied_edits": [{"type": "clear_thinking_20251015", "cleared_input_tokens": 1, "cleared_thinking_turns": 2}]
    }
    message = message_after(
        [
            start(),
            {"type": "message_delta", "delta": first, "usage": {}, "context_management": edits},
            {"type": "message_delta", "delta": second, "input_transformations": [{"a": 1}], "context_management": None},
        ]
    )
    assert message.stop_reason == "refusal"
    assert message.stop_sequence == "x"
    assert message.stop_details == RefusalStopDetails(category="c")
    assert message.container == Container(id="c1", expires_at="2026-01-01T00:00:00Z")
    assert message.context_management is not None
    assert message.context_management.to_dict() == edits
    assert message.input_transformations == [{"a": 1}]


def test_unknown_fields_of_a_message_delta_become_the_messages() -> None:
    change = {"type": "message_delta", "delta": {"mood": "low"}, "usage": {}, "weather": {"rain": True}}
    message = message_after([start(zone=1), change, change | {"weather": {"rain": False}}])
    assert message.extra == {"zone": 1, "mood": "low", "weather": {"rain": False}}
    assert message.to_dict()["weather"] == {"rain": False}


def test_a_message_delta_cannot_change_what_the_message_is() -> None:
    change = {"type": "message_delta", "delta": {"id": "msg_9", "content": []}, "usage": {}, "role": "user"}
    accumulator = accumulated([*HELLO[:5], change])
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.id == "msg_1"
    assert accumulator.snapshot.role == "assistant"
    assert accumulator.snapshot.content == [TextBlock(text="Hello")]
    assert {violation.kind for violation in accumulator.violations} == {"unapplied_delta"}


def test_unknown_fields_of_message_start_stay() -> None:
    assert message_after([start(zone=[1, None])]).extra == {"zone": [1, None]}
    assert message_after([start(zone=[1, None]), *HELLO[1:]]).extra == {"zone": [1, None]}


def test_a_fallback_block_names_the_model_from_its_start_on() -> None:
    def fallback(index: int, source: str, target: str) -> Payload:
        return block_start(index, {"type": "fallback", "from": {"model": source}, "to": {"model": target}})

    accumulator = accumulated([start(model="a"), block_start(0), text(0, "x"), block_stop(0)])
    before = accumulator.snapshot
    accumulator.apply(fallback(1, "a", "b"))
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.model == "b"
    assert isinstance(accumulator.snapshot.content[1], FallbackBlock)
    for payload in [block_stop(1), fallback(2, "b", "c"), block_stop(2)]:
        accumulator.apply(payload)
    assert accumulator.snapshot.model == "c"
    assert before is not None
    assert before.model == "a"


# Snapshots


def test_there_is_no_snapshot_before_message_start() -> None:
    accumulator = MessageAccumulator()
    assert accumulator.snapshot is None
    accumulator.apply(PING)
    assert accumulator.snapshot is None


def test_the_same_snapshot_is_given_until_the_message_changes() -> None:
    accumulator = MessageAccumulator()
    changing = {"message_start", "content_block_start", "content_block_delta", "message_delta"}
    for payload in HELLO:
        before = accumulator.snapshot
        accumulator.apply(PING)
        assert accumulator.snapshot is before
        accumulator.apply(payload)
        assert (accumulator.snapshot is not before) == (payload["type"] in changing)


def test_snapshots_share_the_blocks_that_did_not_change() -> None:
    accumulator = accumulated([start(), block_start(0), text(0, "a"), block_stop(0), block_start(1), text(1, "b")])
    first = accumulator.snapshot
    accumulator.apply(text(1, "c"))
    second = accumulator.snapshot
    assert first is not None
    assert second is not None
    assert first.content[0] is second.content[0]
    assert first.content[1] == TextBlock(text="b")
    assert second.content[1] == TextBlock(text="bc")


def test_closed_parts_of_tool_input_are_shared_and_never_change() -> None:
    accumulator = accumulated([start(), tool_start(0), partial_json(0, '{"a": [1, 2], "b": [3')])
    first: Any = accumulator.snapshot
    accumulator.apply(partial_json(0, ", 4], "))
    second: Any = accumulator.snapshot
    assert first.content[0].input == {"a": [1, 2], "b": [3]}
    assert second.content[0].input == {"a": [1, 2], "b": [3, 4]}
    assert first.content[0].input["a"] is second.content[0].input["a"]


# The end


def test_the_final_message_is_that_of_message_stop() -> None:
    accumulator = accumulated(HELLO)
    assert accumulator.complete
    assert accumulator.final_message == accumulator.snapshot
    assert accumulator.final_message.content == [TextBlock(text="Hello")]
    assert accumulator.final_message.stop_reason == "end_turn"
    accumulator.end()
    assert accumulator.violations == ()


@pytest.mark.parametrize("count", range(len(HELLO)))
def test_an_incomplete_message_is_not_final(count: int) -> None:
    accumulator = accumulated(HELLO[:count])
    assert not accumulator.complete
    with pytest.raises(IncompleteStreamError) as caught:
        _ = accumulator.final_message
    assert caught.value.snapshot == accumulator.snapshot
    with pytest.raises(IncompleteStreamError):
        accumulator.end()


def test_a_second_message_begins_afresh_if_several_are_expected() -> None:
    second = [start("msg_2"), tool_start(0), block_stop(0), message_delta("tool_use"), STOP]
    accumulator = accumulated([*HELLO, *second], multiple_messages=True)
    assert accumulator.final_message.id == "msg_2"
    assert accumulator.final_message.content == [ToolUseBlock(id="toolu_0", name="search", input={})]
    assert accumulator.violations == ()
    accumulator = accumulated([*HELLO, second[0]], multiple_messages=True)
    assert not accumulator.complete
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.content == []
    with pytest.raises(EventOrderError):
        accumulated([*HELLO, second[0]])


def test_a_second_message_inside_the_first_is_an_error_even_if_several_are_expected() -> None:
    with pytest.raises(EventOrderError):
        accumulated([*HELLO[:3], start("msg_2")], multiple_messages=True)


def test_violations_that_recur_take_no_more_memory() -> None:
    accumulator = accumulated([*HELLO[:5], *[text(0, "!")] * 500])
    assert len(accumulator.violations) == 100
    assert "further ones" in accumulator.violations[-1].message
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.content == [TextBlock(text="Hello" + "!" * 500)]


# Dicts and typed events


def test_a_dict_and_a_typed_event_do_the_same() -> None:
    by_dict, by_event = MessageAccumulator(), MessageAccumulator()
    for payload in [start(), tool_start(0), partial_json(0, '{"a": 1}'), PING, {"type": "new"}, *HELLO[4:]]:
        by_dict.apply(payload)
        by_event.apply(structure_event(payload))
        assert by_dict.snapshot == by_event.snapshot
    assert by_dict.final_message == by_event.final_message


@pytest.mark.parametrize("value", [{}, {"type": 5}, {"type": None, "index": 0}])
def test_a_dict_without_a_type_is_a_decode_error(value: Any) -> None:
    with pytest.raises(DecodeError, match="the payload has no type"):
        MessageAccumulator().apply(value)


@pytest.mark.parametrize("value", [None, [1], b"{}", "ping"])
def test_what_is_neither_an_event_nor_a_dict_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="an event must be a dict or have a type"):
        MessageAccumulator().apply(value)


def test_an_error_whose_dict_is_not_json_is_shown_as_python_shows_it() -> None:
    accumulator = MessageAccumulator()
    accumulator.apply({"type": "error", "error": {"reason": b"gone"}})
    (violation,) = accumulator.violations
    assert "gone" in violation.message


def test_a_dict_that_is_no_event_is_a_decode_error_and_changes_nothing() -> None:
    accumulator = accumulated(HELLO[:3])
    before = accumulator.snapshot
    with pytest.raises(DecodeError):
        accumulator.apply({"type": "content_block_delta", "index": 0})
    assert accumulator.snapshot is before


def test_strict_raises_what_otherwise_is_recorded_and_leaves_the_message_as_it_was() -> None:
    accumulator = accumulated(HELLO[:5], strict=True)
    before = accumulator.snapshot
    with pytest.raises(EventOrderError):
        accumulator.apply(text(0, "!"))
    assert accumulator.snapshot == before
    assert accumulator.violations == ()


def test_an_unknown_block_keeps_a_field_that_is_called_as_one_of_ours() -> None:
    block = {"type": "new_tool_use", "input": {}, "partial_input": "theirs"}
    outcome = drive(body(start(), block_start(0, block), partial_json(0, '{"a'), block_stop(0), message_delta(), STOP))
    assert outcome.snapshot is not None
    assert outcome.snapshot.to_dict()["content"] == [block]
