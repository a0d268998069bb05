"""Build the turns that ask the model to go on with an answer that was cut off. Nothing is sent here.

Sources, under https://platform.claude.com/docs/en, read in November 2026: "Error recovery" of
build-with-claude/streaming, build-with-claude/handling-stop-reasons, about-claude/models/migration-guide (prefills),
build-with-claude/prompt-engineering/prefill-claudes-response, and build-with-claude/preserved-thinking. Which blocks
may end a turn, and that text must not be empty, is what the API says when it refuses a request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, overload

import attrs

from streamcore.errors import InvalidArgumentError, shortened
from streamcore.types import (
    CompactionBlock,
    ContentBlock,
    FallbackBlock,
    MCPToolUseBlock,
    Message,
    MessageParam,
    RedactedThinkingBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)

__all__ = ["Continuation", "DroppedBlock", "continuation"]

# The stop reasons with which there is something to go on with. The API counts an empty one as none.
_CUT = {None, "", "max_tokens", "model_context_window_exceeded"}
_PAUSED = {"pause_turn", "compaction"}
_NOT_CONTINUED = {
    "end_turn": "the message is complete",
    "stop_sequence": "the message is complete: one of the stop sequences of the request ended it",
    "refusal": "the model refused; ask another model, or change what it refused",
}
_TOOL_USES = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)
_THINKING = (ThinkingBlock, RedactedThinkingBlock)
_QUOTED = 200  # How many characters of the end of the text the instruction repeats.


@attrs.frozen
class DroppedBlock:
    """A block of the message that the turns leave out.

    Attributes:
        index: Its index in `message.content`.
        block: The block.
        reason: Why it is left out.
    """

    index: int
    block: ContentBlock
    reason: str


@attrs.frozen(kw_only=True)
class Continuation(Sequence[MessageParam]):
    """The turns that ask the model to go on, as a sequence: `messages=[*messages, *continuation(snapshot)]`.

    Attributes:
        messages: The turns, as plain dicts: none, the turn of the assistant, or that and a turn of the user.
        dropped: The blocks of the message that are not in them.
        tool_uses: The finished tool calls in them. If there are any, run these tools and add one more turn of the user,
            which has a `tool_result` for each and no text.
        is_prefilled: Whether the last turn is that of the assistant, and the text of the next answer goes on exactly
            where the text of this turn ends.
        stripped: What was removed from the end of the last text: whitespace that a prefilled turn must not end with,
            or half of a surrogate pair.
    """

    messages: tuple[MessageParam, ...] = ()
    dropped: tuple[DroppedBlock, ...] = ()
    tool_uses: tuple[ToolUseBlock, ...] = ()
    is_prefilled: bool = False
    stripped: str = ""

    @overload
    def __getitem__(self, index: int) -> MessageParam: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[MessageParam, ...]: ...
    def __getitem__(self, index: int | slice) -> MessageParam | tuple[MessageParam, ...]:
        return self.messages[index]

    def __len__(self) -> int:
        return len(self.messages)


def continuation(
    message: Message | None,
    *,
    prefill: bool | None = None,
    open_blocks: Collection[int] | None = None,
    instruction: str | None = None,
) -> Continuation:
    """Return the turns that ask the model to go on with a message that was cut off.

    Send them after the messages of the request: `messages=[*messages, *continuation(error.snapshot)]`. The next answer
    is a message of its own. Nothing joins the two: only the program knows how to show the place where they meet.

    What becomes of the content:

    - Text is kept, with its citations so far.
    - A tool call, a thinking block or a compaction that is not finished is dropped, and so is an unfinished block of an
      unknown type: "Tool use and extended thinking blocks cannot be partially recovered" (streaming guide). Thinking is
      finished if it has a signature.
    - A finished tool call is kept, and listed in `tool_uses`: the program has to answer it. The turns have no
      instruction then, as no text should follow a tool result.
    - A call of a server tool is kept together with its result. Without one it is dropped, unless it is waiting for a
      tool of the program.
    - Thinking, redacted thinking and a fallback at the end are dropped: the API refuses a turn that ends in thinking,
      and a fallback has no content.
    - Empty text is dropped, and so is whitespace if it is the only text. The API refuses both.

    If all is dropped, the result is empty: send the request again as it was.

    The content goes back as the assistant's own turn, so thinking, citations and results keep their places. Models up
    to 4.5 take that turn as a prefill, and go on where it ends. Later ones answer a prefill with status 400, so a turn
    of the user follows that asks them to continue. The version is taken from `message.model`. Where the name has none,
    a turn of the user is used, because all models take that. A prefill is not allowed with thinking, and must end in
    text without whitespace at its end. So a message with thinking, or whose last block is not text, gets a turn of the
    user too.

    What the stop reason means:

    - None, `max_tokens`, `model_context_window_exceeded`: the message was cut off. For the last of them, first make
      room: the context is full.
    - `tool_use`: the tool calls are to be answered.
    - `pause_turn`, `compaction`: the message is sent back, without empty text but otherwise unchanged, and the API goes
      on with it.
    - `end_turn`, `stop_sequence`, `refusal`, or one that is new: there is nothing to continue, which is an error.
      Answers after a refusal: build-with-claude/refusals-and-fallback.

    An answer in a JSON format (`output_format`) cannot be continued: the next one would be a whole JSON text again.
    Nothing in a message says so until it has been parsed. Repeat such a request instead.

    Args:
        message: The message so far: the `snapshot` of an error, an engine or a stream, or a stored message. None, if
            nothing had arrived, gives no turns.
        prefill: Whether to prefill the turn of the assistant, instead of judging by the name of the model. The request
            must then have neither thinking nor a format for its output.
        open_blocks: The indexes of the blocks that were not finished, that is, whose `content_block_stop` had not come.
            A message does not say which these are. By default they are the last block and, without a stop reason, all
            tool calls without a result: some servers interleave blocks, and a tool must not run with a part of its
            input. A program that has run tools before the cut gives this argument, so that they are not called again.
        instruction: The text for the user's turn, if there is one. By default it is that of the streaming guide: the
            response was interrupted, how its text ended, and "Continue from where you left off."

    Raises:
        InvalidArgumentError: The message is not to be continued, cannot be prefilled, or an argument is invalid.
    """
    _check_arguments(message, prefill, open_blocks, instruction)
    if message is None:
        return Continuation()
    reason = message.stop_reason
    if reason in _PAUSED:
        paused = _Selection(message)
        return Continuation(messages=paused.turns, dropped=tuple(paused.dropped))
    if reason not in _CUT and reason != "tool_use":
        why = _NOT_CONTINUED.get(str(reason), "this stop reason is unknown")
        raise InvalidArgumentError(f"cannot continue a message with the stop reason {shortened(repr(reason))}: {why}")
    if any(isinstance(block, TextBlock) and _is_parsed(block) for block in message.content):
        raise InvalidArgumentError("cannot continue an answer in a JSON format: repeat the request instead")
    if open_blocks is None:
        open_blocks = _may_be_open(message)
    selection = _Selection(message)
    selection.drop_unfinished(open_blocks)
    if prefill is None:  # thinking that is dropped also says that the request allowed it
        has_thinking = any(isinstance(block, _THINKING) for block in message.content)
        wants_prefill = takes_prefill(message.model) and not has_thinking
    else:
        wants_prefill = prefill
    tool_uses = tuple(block for _, block in selection.blocks(ToolUseBlock))
    stripped = selection.trim_end(whitespace=wants_prefill and not tool_uses)
    dropped = tuple(sorted(selection.dropped, key=lambda dropped: dropped.index))
    if not selection.kept:
        return Continuation(dropped=dropped)
    last = selection.kept[max(selection.kept)]
    is_prefilled = wants_prefill and isinstance(last, TextBlock) and not tool_uses
    if prefill and (not is_prefilled or any(selection.blocks(*_THINKING))):
        raise InvalidArgumentError("only a message that ends in text can be prefilled, without tool calls and thinking")
    turns = selection.turns
    if not is_prefilled and not tool_uses:
        user: MessageParam = {"role": "user", "content": instruction or _instruction(last)}
        turns = (*turns, user)
    return Continuation(
        messages=turns, dropped=dropped, tool_uses=tool_uses, is_prefilled=is_prefilled, stripped=stripped
    )


def _may_be_open(message: Message) -> set[int]:
    """Return the indexes of the blocks that the message does not show to be finished."""
    if message.stop_reason == "tool_use":
        return set()
    is_open = {len(message.content) - 1}
    if not message.stop_reason:
        answered = {getattr(block, "tool_use_id", None) for block in message.content}
        calls = [(index, block) for index, block in enumerate(message.content) if isinstance(block, _TOOL_USES)]
        is_open.update(index for index, block in calls if block.id not in answered)
    return is_open


class _Selection:
    """The blocks of a message that can be sent back, and why the others cannot. Blank text is dropped at once."""

    def __init__(self, message: Message) -> None:
        self._stop_reason = message.stop_reason
        self.kept = dict(enumerate(message.content))
        self.dropped: list[DroppedBlock] = []
        self._drop_blank_text()

    @property
    def turns(self) -> tuple[MessageParam, ...]:
        """The turn of the assistant, or nothing if no block is kept."""
        content: list[Any] = [block.to_param() for block in self.kept.values()]
        return ({"role": "assistant", "content": content},) if content else ()

    def drop(self, index: int, reason: str) -> None:
        self.dropped.append(DroppedBlock(index, self.kept.pop(index), reason))

    def blocks(self, *classes: type[ContentBlock]) -> Iterator[tuple[int, Any]]:
        return ((index, block) for index, block in list(self.kept.items()) if isinstance(block, classes))

    def drop_unfinished(self, open_blocks: Collection[int]) -> None:
        """Drop what is not finished, and calls without their results.

        Args:
            open_blocks: The indexes of the blocks that are open.
        """
        for index in list(self.kept):
            self._drop_unfinished(index, is_open=index in open_blocks)
        self._drop_unanswered(is_paused=self._stop_reason == "tool_use" and any(self.blocks(ToolUseBlock)))

    def _drop_unfinished(self, index: int, *, is_open: bool) -> None:
        block = self.kept[index]
        if isinstance(block, ThinkingBlock):
            if not block.signature:
                self.drop(index, "the thinking has no signature, so it is not finished")
        elif isinstance(block, _TOOL_USES):
            if is_open or block.partial_input is not None:
                self.drop(index, "the tool call is not known to be finished")
        elif is_open and isinstance(block, (CompactionBlock, UnknownBlock)):
            self.drop(index, "the block is not finished")

    def _drop_unanswered(self, *, is_paused: bool) -> None:
        """Drop calls of server tools without a result, and results whose call is dropped."""
        without_call = {getattr(dropped.block, "id", None) for dropped in self.dropped} - {None}
        for index, block in list(self.kept.items()):
            if getattr(block, "tool_use_id", None) in without_call:
                self.drop(index, "it is the result of a tool call that is dropped")
        if is_paused:  # the results of server tools come after those of the program
            return
        answered = {getattr(block, "tool_use_id", None) for block in self.kept.values()}
        # Code that waits for a tool of the program goes on when it has its result.
        waiting = {getattr(block.caller, "tool_id", None) for _, block in self.blocks(ToolUseBlock)}
        for index, block in self.blocks(ServerToolUseBlock, MCPToolUseBlock):
            if block.id not in answered | waiting:
                self.drop(index, "the tool of the server has not returned a result")

    def _drop_blank_text(self) -> None:
        # Half of a surrogate pair may be removed later, so it does not count.
        has_text = any(_HALF_PAIR_AT_END.sub("", block.text).strip() for _, block in self.blocks(TextBlock))
        for index, block in self.blocks(TextBlock):
            if not block.text:
                self.drop(index, "the text is empty")
            elif not has_text:
                self.drop(index, "the only text is whitespace and half characters")

    def trim_end(self, *, whitespace: bool) -> str:
        """Remove what a turn must not end with, and return what was removed from the text at its end."""
        while self.kept:
            index, block = next(reversed(self.kept.items()))
            if isinstance(block, TextBlock):
                text = _HALF_PAIR_AT_END.sub("", block.text)
                text = text.rstrip() if whitespace else text
                if text:
                    self.kept[index] = attrs.evolve(block, text=text)
                    return block.text[len(text) :]
                self.drop(index, "no text is left of it once whitespace and half characters are removed")
            elif isinstance(block, (*_THINKING, FallbackBlock)):
                self.drop(index, f"a turn must not end with a block of type {block.type}")
            else:
                break
        return ""


_HALF_PAIR_AT_END = re.compile("[\ud800-\udbff]+\\Z")  # the other half was in the part that is missing


def _instruction(last: ContentBlock) -> str:
    ended = f' and ended with "{last.text[-_QUOTED:]}"' if isinstance(last, TextBlock) else ""
    return f"Your previous response was interrupted{ended}. Continue from where you left off."


# Names of models: claude-3-5-haiku-latest, claude-opus-4-20250514, us.anthropic.claude-sonnet-4-6-v1:0, and
# anthropic/claude-sonnet-4.5. A date after the version has more than two digits.
_VERSION = re.compile(r"claude-(?:v|[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_LAST_WITH_PREFILL = (4, 5)


def takes_prefill(model: str) -> bool:
    """Return whether a model is known to take a prefilled turn: Claude 4.5 and earlier do, 4.6 and later do not."""
    found = _VERSION.search(model.lower())
    return found is not None and (int(found[1]), int(found[2] or 0)) <= _LAST_WITH_PREFILL


def _is_parsed(block: TextBlock) -> bool:
    return block.parsed_output is not None or block.parse_error is not None


def _check_arguments(message: object, prefill: object, open_blocks: object, instruction: object) -> None:
    if message is not None and not isinstance(message, Message):
        raise InvalidArgumentError(f"message must be a Message or None, not {shortened(repr(message))}")
    if prefill is not None and not isinstance(prefill, bool):
        raise InvalidArgumentError(f"prefill must be True, False or None, not {shortened(repr(prefill))}")
    if instruction is not None and not (isinstance(instruction, str) and instruction.strip()):
        raise InvalidArgumentError(f"instruction must be text, not {shortened(repr(instruction))}")
    if open_blocks is None:
        return
    count = 0 if message is None else len(message.content)
    if not isinstance(open_blocks, Collection) or not all(index in range(count) for index in open_blocks):
        raise InvalidArgumentError(
            f"open_blocks must be indexes of the {count} blocks of the message, not {shortened(repr(open_blocks))}"
        )
