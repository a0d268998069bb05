"""The turns that ask the model to go on with an answer that was cut off."""

from __future__ import annotations

import json
from typing import Any, get_args

import attrs
import pytest
from guides import FIXTURES
from hypothesis import given
from hypothesis import strategies as st

from streamcore import InvalidArgumentError, MessageEngine
from streamcore.api import Continuation, continuation
from streamcore.api.continuing import takes_prefill
from streamcore.api.options import NOT_GIVEN
from streamcore.api.request import build_request
from streamcore.codec import structure
from streamcore.testing.strategies import WholeStream, whole_streams
from streamcore.types import Message
from streamcore.types.message import StopReason

NEW, OLD = "claude-sonnet-5-5", "claude-sonnet-4-5-20250929"
SAID = "Your previous response was interrupted"
ASKED = {"role": "user", "content": "What is a tide?"}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def thinking(signature: str | None = "sig") -> dict[str, Any]:
    return {"type": "thinking", "thinking": "Hm.", **({"signature": signature} if signature else {})}


def tool(name: str = "toolu_1", **fields: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "look_up", "input": {"a": 1}, **fields}


SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "tide"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}
CODE = {"type": "server_tool_use", "id": "srv_1", "name": "code_execution", "input": {"code": "1"}}
FALLBACK = {"type": "fallback", "from": {"model": "claude-fable-5"}, "to": {"model": NEW}}
REDACTED = {"type": "redacted_thinking", "data": "xyz"}
COMPACTION = {"type": "compaction", "content": "In short: tides."}


def message(*content: Any, model: str = NEW, stop_reason: str | None = None) -> Message:
    value = json.dumps(
        {"type": "message", "id": "msg_1", "role": "assistant", "model": model, "content": content}
        | {"stop_reason": stop_reason, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    )
    read: Message = structure(json.loads(value), Message)
    return read


def sent(turns: Continuation) -> Any:
    """Return the turns as the request builder sends them."""
    request = build_request(
        "/v1/messages",
        base_url="http://server",
        credentials={"x-api-key": "key"},
        default_headers={},
        default_query={},
        params={"model": NEW, "max_tokens": 1, "messages": [ASKED, *turns], "tools": NOT_GIVEN},
        stream=True,
    )
    return json.loads(request.body)["messages"][1:]


def content(turns: Continuation) -> Any:
    return sent(turns)[0]["content"]


def reasons(turns: Continuation) -> dict[int, str]:
    return {dropped.index: dropped.reason for dropped in turns.dropped}


# What follows the content


def test_a_new_model_is_asked_by_the_user() -> None:
    turns = continuation(message(text("Tides are \n")))
    said = f'{SAID} and ended with "Tides are \n". Continue from where you left off.'
    assert sent(turns) == [
        {"role": "assistant", "content": [text("Tides are \n")]},
        {"role": "user", "content": said},
    ]
    assert not turns.is_prefilled
    assert (turns.dropped, turns.tool_uses, turns.stripped) == ((), (), "")


def test_an_old_model_is_prefilled_without_whitespace_at_the_end() -> None:
    turns = continuation(message(text("Tides are \n"), model=OLD))
    assert sent(turns) == [{"role": "assistant", "content": [text("Tides are")]}]
    assert (turns.is_prefilled, turns.stripped) == (True, " \n")


def test_the_instruction_quotes_the_end_of_a_long_text() -> None:
    (_, turn) = continuation(message(text("x" * 5000 + "y" * 200)))
    assert turn["content"] == f'{SAID} and ended with "{"y" * 200}". Continue from where you left off.'
    (_, turn) = continuation(message(SEARCH, FOUND))
    assert turn["content"] == f"{SAID}. Continue from where you left off."
    (_, turn) = continuation(message(text("Die Flut")), instruction="Bitte weiter.")
    assert turn["content"] == "Bitte weiter."


def test_which_models_take_a_prefill() -> None:
    old = (
        "claude-2.1 claude-instant-1.2 anthropic.claude-v2:1 claude-3-opus-20240229 claude-3-5-haiku-latest"
        " claude-3-7-sonnet-20250219 claude-sonnet-4-20250514 claude-opus-4-0 claude-opus-4-1-20250805"
        " claude-haiku-4-5 claude-opus-4-5@20251101 us.anthropic.claude-sonnet-4-5-20250929-v1:0"
        " anthropic/claude-sonnet-4.5 Claude-Sonnet-4-5"
    )
    new = (
        "claude-opus-4-6 claude-sonnet-4-6 us.anthropic.claude-opus-4-6-v1 anthropic/claude-sonnet-4.6 claude-opus-4-8"
        " claude-opus-5 claude-sonnet-5-20270101 claude-fable-5 claude-haiku-5-5 claude-opus-10"
    )
    unknown = "claude-mythos-preview gpt-oss-120b qwen3-4b my-claude"
    assert [model for model in old.split() if not takes_prefill(model)] == []
    assert [model for model in (*new.split(), *unknown.split(), "") if takes_prefill(model)] == []


def test_prefill_overrides_the_name_of_the_model() -> None:
    assert continuation(message(text("Tides ")), prefill=True).is_prefilled
    assert not continuation(message(text("Tides "), model=OLD), prefill=False).is_prefilled


def test_a_prefill_is_not_used_where_it_is_not_allowed() -> None:
    assert not continuation(message(text("Tides"), thinking(None), model=OLD)).is_prefilled
    assert continuation(message(text("Tides"), thinking(None), model=OLD), prefill=True).is_prefilled
    for blocks in ((thinking(), text("Tides")), (REDACTED, text("Tides")), (text("Tides"), SEARCH, FOUND)):
        assert [turn["role"] for turn in continuation(message(*blocks, model=OLD))] == ["assistant", "user"]
        with pytest.raises(InvalidArgumentError, match="only a message that ends in text can be prefilled"):
            continuation(message(*blocks, model=OLD), prefill=True)
    with pytest.raises(InvalidArgumentError, match="only a message that ends in text can be prefilled"):
        continuation(message(tool(), text("Tides")), prefill=True, open_blocks=[])


# What becomes of the content


def test_what_is_unfinished_is_dropped_and_said_so() -> None:
    open_tool = "the tool call is not known to be finished"
    cases: list[tuple[tuple[Any, ...], int, str]] = [
        ((text("A"), tool()), 1, open_tool),
        ((text("A"), {**SEARCH}), 1, open_tool),
        ((text("A"), {**tool(), "type": "mcp_tool_use", "server_name": "files"}), 1, open_tool),
        ((text("A"), thinking(None)), 1, "the thinking has no signature, so it is not finished"),
        ((thinking(None), text("A")), 0, "the thinking has no signature, so it is not finished"),
        (({**thinking(), "signature": ""}, text("A")), 0, "the thinking has no signature, so it is not finished"),
        ((text("A"), COMPACTION), 1, "the block is not finished"),
        ((text("A"), {"type": "hologram", "data": "x"}), 1, "the block is not finished"),
        ((text("A"), thinking()), 1, "a turn must not end with a block of type thinking"),
        ((text("A"), REDACTED), 1, "a turn must not end with a block of type redacted_thinking"),
        ((text("A"), FALLBACK), 1, "a turn must not end with a block of type fallback"),
        ((SEARCH, text("A")), 0, open_tool),
        ((text(""), text("A")), 0, "the text is empty"),
    ]
    for blocks, index, reason in cases:
        turns = continuation(message(*blocks))
        assert reasons(turns) == {index: reason}
        assert turns.dropped[0].block == message(*blocks).content[index]
        assert content(turns) == [text("A")]


def test_what_is_finished_is_kept() -> None:
    cited = {**text("A"), "citations": [{"type": "char_location", "cited_text": "A", "document_index": 0}]}
    cited["citations"][0] |= {"document_title": None, "start_char_index": 0, "end_char_index": 1}
    blocks = [COMPACTION, thinking(), SEARCH, FOUND, FALLBACK, REDACTED, {"type": "hologram"}, text(" "), cited]
    turns = continuation(message(*blocks))
    assert content(turns) == blocks
    assert turns.dropped == ()


def test_nothing_is_left_to_go_on_from() -> None:
    for blocks in ((), (text(""),), (text(" \n"),), (thinking(None),), (thinking(), tool()), (FALLBACK,)):
        for model in (OLD, NEW):
            turns = continuation(message(*blocks, model=model))
            assert (list(turns), len(turns.dropped)) == ([], len(blocks))
    assert list(continuation(None)) == []


def test_whitespace_before_a_prefill_is_dropped_together_with_its_block() -> None:
    turns = continuation(message(text("A "), text("\n"), model=OLD))
    assert content(turns) == [text("A")]
    assert (list(reasons(turns)), turns.stripped) == ([1], " ")


def test_half_of_a_surrogate_pair_is_stripped() -> None:
    for model in (OLD, NEW):
        turns = continuation(message(text("Wave \ud83c"), model=model))
        assert content(turns)[0]["text"].rstrip() == "Wave"
        assert turns.stripped.endswith("\ud83c")


def test_whitespace_is_not_left_as_the_only_text() -> None:
    for blocks in ((text(" "), text("\ud83d")), (text("\ud83d"), thinking(None))):
        for model in (OLD, NEW):
            assert list(continuation(message(*blocks, model=model))) == []
    turns = continuation(message(text(" "), text("\ud83d"), SEARCH, FOUND))
    assert content(turns) == [SEARCH, FOUND]
    assert list(reasons(turns)) == [0, 1]


def test_finished_tool_calls_are_for_the_program_to_answer() -> None:
    cut = message(text("A"), tool(), tool("toolu_2"), text("B "))
    turns = continuation(cut, open_blocks=[2])
    assert sent(turns) == [{"role": "assistant", "content": [text("A"), tool(), text("B ")]}]
    assert [block.id for block in turns.tool_uses] == ["toolu_1"]
    assert reasons(turns) == {2: "the tool call is not known to be finished"}

    turns = continuation(message(text("A"), tool(), tool("toolu_2"), stop_reason="max_tokens"))
    assert [block.id for block in turns.tool_uses] == ["toolu_1"]


def test_tool_calls_are_not_taken_for_finished_without_a_reason() -> None:
    turns = continuation(message(text("A"), tool(), tool("toolu_2"), text("B")))  # they may be interleaved
    assert content(turns) == [text("A"), text("B")]
    assert reasons(turns) == dict.fromkeys((1, 2), "the tool call is not known to be finished")
    assert [turn["role"] for turn in turns] == ["assistant", "user"]
    assert content(continuation(message(SEARCH, FOUND, text("A")))) == [SEARCH, FOUND, text("A")]


def test_code_that_waits_for_a_tool_of_the_program_is_kept() -> None:
    called = tool(caller={"type": "code_execution_20260120", "tool_id": "srv_1"})
    assert content(continuation(message(text("A"), CODE, called), open_blocks=[])) == [text("A"), CODE, called]
    turns = continuation(message(text("A"), CODE, called), open_blocks=[2])  # nothing waits for the call
    assert content(turns) == [text("A")]
    assert reasons(turns)[1] == "the tool of the server has not returned a result"


def test_the_result_of_a_dropped_call_is_dropped() -> None:
    turns = continuation(message(text("A"), SEARCH, FOUND), open_blocks=[1])
    assert list(reasons(turns)) == [1, 2]
    assert reasons(turns)[2] == "it is the result of a tool call that is dropped"
    # The call may be in an earlier message, whose turn was paused.
    assert content(continuation(message(FOUND, text("A")))) == [FOUND, text("A")]


# Stop reasons


def test_a_message_that_was_truncated_goes_on() -> None:
    for reason in ("max_tokens", "model_context_window_exceeded", ""):
        turns = continuation(message(text("A"), tool(), stop_reason=reason))
        assert [turn["role"] for turn in turns] == ["assistant", "user"]
        assert reasons(turns) == {1: "the tool call is not known to be finished"}


def test_a_paused_turn_is_sent_back_unchanged() -> None:
    for reason in ("pause_turn", "compaction"):
        blocks = [thinking(), text("A "), SEARCH]
        turns = continuation(message(*blocks, model=OLD, stop_reason=reason))
        assert sent(turns) == [{"role": "assistant", "content": blocks}]
        assert list(continuation(message(stop_reason=reason))) == []
        turns = continuation(message(text(""), *blocks, stop_reason=reason))  # the API sends empty text and refuses it
        assert sent(turns) == [{"role": "assistant", "content": blocks}]
        assert reasons(turns) == {0: "the text is empty"}


def test_tool_calls_that_ended_a_message_are_for_the_program_to_answer() -> None:
    turns = continuation(message(CODE, tool(), stop_reason="tool_use"))
    assert sent(turns) == [{"role": "assistant", "content": [CODE, tool()]}]
    assert [block.id for block in turns.tool_uses] == ["toolu_1"]

    cut = message(text("A"), CODE, tool(), stop_reason="tool_use")
    last: Any = cut.content[-1]
    cut = attrs.evolve(cut, content=[*cut.content[:-1], attrs.evolve(last, partial_input='{"a": 1')])
    assert content(continuation(cut)) == [text("A")]


def test_what_cannot_be_continued_raises() -> None:
    for reason, why in {
        "end_turn": "the message is complete",
        "stop_sequence": "one of the stop sequences",
        "refusal": "the model refused",
        "hiccup": "this stop reason is unknown",
    }.items():
        with pytest.raises(InvalidArgumentError, match=f"stop reason '{reason}': .*{why}"):
            continuation(message(text("A"), stop_reason=reason))
    whole = message(text('{"a": 1}'), stop_reason="max_tokens")
    first: Any = whole.content[0]
    block = attrs.evolve(first, parsed_output={"a": 1})
    with pytest.raises(InvalidArgumentError, match="JSON format"):
        continuation(attrs.evolve(whole, content=[block]))


def test_each_stop_reason_is_known() -> None:
    for reason in get_args(StopReason):
        try:
            continuation(message(text("A"), stop_reason=reason))
        except InvalidArgumentError as error:
            assert "unknown" not in str(error)


def test_invalid_arguments_raise() -> None:
    some: Any = message(text("A"))
    invalid: list[tuple[Any, dict[str, Any]]] = [
        ({"role": "assistant", "content": []}, {}),
        (some, {"prefill": "yes"}),
        (some, {"instruction": " "}),
        (some, {"open_blocks": [1]}),
        (some, {"open_blocks": [-1]}),
        (some, {"open_blocks": 0}),
        (None, {"open_blocks": [0]}),
    ]
    for value, options in invalid:
        with pytest.raises(InvalidArgumentError):
            continuation(value, **options)


# Snapshots of streams


@given(whole_streams(), st.sampled_from([NEW, OLD, "other"]), st.booleans(), st.data())
def test_the_turns_for_any_snapshot_can_be_sent(stream: WholeStream, model: str, is_told: bool, data: Any) -> None:
    check(stream.data[: data.draw(st.integers(0, len(stream.data)))], model, is_told)


def test_the_turns_for_each_fixture_can_be_sent() -> None:
    for path in FIXTURES.glob("*.sse"):
        events = path.read_bytes().split(b"\n\n")
        for count in range(0, len(events), 3):
            check(b"\n\n".join(events[:count]) + b"\n\n", OLD, is_told=count % 2 == 0)


def check(data: bytes, model: str, is_told: bool) -> None:
    engine = MessageEngine(multiple_messages=True)
    engine.receive_data(data)
    open_blocks: set[int] = set()
    for event in engine.events():
        if event.type == "message_start":
            open_blocks.clear()
        if event.type == "content_block_start":
            open_blocks.add(event.index)
        elif event.type == "content_block_stop":
            open_blocks.discard(event.index)
    snapshot = engine.snapshot
    if snapshot is not None:
        snapshot = attrs.evolve(snapshot, model=model)
    if snapshot is None or snapshot.stop_reason in ("end_turn", "stop_sequence", "refusal"):
        return
    if snapshot.stop_reason in ("pause_turn", "compaction"):
        return
    turns = continuation(snapshot, open_blocks=open_blocks) if is_told else continuation(snapshot)

    roles = [turn["role"] for turn in sent(turns)]
    last = ["user"] if not (turns.is_prefilled or turns.tool_uses) else []
    assert roles == (["assistant", *last] if roles else [])
    if not roles:
        assert len(turns.dropped) == len(snapshot.content)
        return
    blocks = content(turns)
    assert len(blocks) + len(turns.dropped) == len(snapshot.content)
    assert blocks[-1]["type"] not in ("thinking", "redacted_thinking", "fallback")
    for block in blocks:
        assert block["type"] != "text" or block["text"]
        assert block["type"] != "thinking" or block["signature"]
    if not turns.tool_uses:
        answered = {block.get("tool_use_id") for block in blocks}
        assert all(block["id"] in answered for block in blocks if block["type"] in ("server_tool_use", "mcp_tool_use"))
    if turns.is_prefilled:
        assert model == OLD
        assert blocks[-1]["text"] == blocks[-1]["text"].rstrip()
        assert not any("thinking" in block["type"] for block in blocks)
    dropped = {block.index for block in turns.dropped}
    for index in open_blocks - dropped:
        kept = snapshot.content[index].type
        assert kept in ("text", "thinking", *WHOLE) if is_told else "tool_use" not in kept


# Blocks that come whole, with their start.
WHOLE = (
    {"redacted_thinking", "fallback", "container_upload", "mcp_tool_listing"}
    | {
        f"{name}_tool_result"
        for name in ["web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution"]
    }
    | {"tool_search_tool_result", "advisor_tool_result", "mcp_tool_result"}
)
