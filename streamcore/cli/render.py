"""What `streamcore replay` prints: a stream as it unfolds, for people.

Text is printed bare, as it arrives. Everything else has a paragraph of its own, which begins with a label in brackets.
A terminal adds styles; without a terminal, the same characters are printed without control codes.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from streamcore import MessageEngine, MessageStreamEvent, Violation
from streamcore.cli.source import Boundaries, visible
from streamcore.cli.summary import citation_line, json_line, result_lines, usage_line
from streamcore.stream import derive
from streamcore.types import (
    CompactionDelta,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    ErrorEvent,
    Message,
    UnknownDelta,
)
from streamcore.types.base import type_tag
from streamcore.types.text_deltas import TEXT_DELTAS

_PLAIN = Style()
_DIM = Style(dim=True)
_LABEL = Style(bold=True)
_TOOL = Style(color="cyan")
_MARK = Style(color="blue")
_BAD = Style(color="red", bold=True)
_ODD = Style(color="yellow")

_MOST_VIOLATIONS = 10
_EVENTS_PER_SECOND = 40

# Blocks whose contents are streamed: their style, and the contents that come with the start of the block.
_STREAMED: dict[str, tuple[Style, Callable[[Any], str]]] = {
    "thinking": (_DIM, lambda block: block.thinking),
    "compaction": (_DIM, lambda block: block.content or ""),
    "tool_use": (_TOOL, lambda block: _input_text(block.input)),
    "server_tool_use": (_TOOL, lambda block: _input_text(block.input)),
    "mcp_tool_use": (_TOOL, lambda block: _input_text(block.input)),
}


def _continued(field: str) -> Callable[[Display, int, Any], None]:
    """Return the method that shows this field of a derived event as more of its block."""
    return lambda self, index, event: self._continue(index, getattr(event, field))


def _input_text(value: Any) -> str:
    """Return the input that came with the start of a tool's block; nothing for the usual empty object."""
    return json.dumps(value, ensure_ascii=False) if value else ""


class Pace:
    """Spreads events evenly over time, for captures that do not say when they arrived.

    Args:
        speed: 1 is 40 events a second, about as fast as a model writes; 2 is twice that.
    """

    def __init__(self, speed: float) -> None:
        self._interval = 1 / (_EVENTS_PER_SECOND * speed)
        self._due = time.monotonic()

    def wait(self) -> None:
        """Return when the next event is due."""
        self._due += self._interval
        delay = self._due - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        else:
            self._due -= delay


@attrs.define
class _Block:
    """The state of a block while it is shown.

    Attributes:
        style: The style of its contents.
        label: Its name at the place where its paragraph goes on after others.
        is_empty: Whether only its label has been shown.
        citations: The citations whose marks have not been shown.
    """

    style: Style = _PLAIN
    label: str = "text"
    is_empty: bool = False
    citations: list[Any] = attrs.Factory(list)


class Display:
    """Prints events, one by one.

    Args:
        console: The console to print to.
        engine: The engine that yields the events; it must not be ahead of them.
    """

    def __init__(self, console: Console, engine: MessageEngine) -> None:
        self._console = console
        self._engine = engine
        self._messages = Boundaries()
        self._violations_shown = 0
        self._segments: list[Segment] = []
        self._line_open = False
        # The index of the block whose paragraph is open, or "text" for all text: one text may come in several blocks.
        self._paragraph: int | str | None = None
        self._blocks: defaultdict[int, _Block] = defaultdict(_Block)  # by index; a delta may come without a start
        self._sources: list[Any] = []

    def show(self, event: MessageStreamEvent) -> None:
        """Show the next event. `flush()` prints it."""
        if self._messages.begins(event):
            self._begin(event)
        elif self._messages.ends(event):
            self._end(self._engine.final_message)
        elif self._messages.open or event.type not in self._INSIDE:
            self._SHOW.get(event.type, Display._show_unknown)(self, event)

    def finish(self) -> None:
        """Show the rest at the end of the stream: a message that has not ended, and violations not shown yet."""
        if self._messages.open and self._engine.snapshot is not None:
            self._mark_citations()
            self._line("[incomplete: the message breaks off here]", _BAD, gap=True)
            self._end(self._engine.snapshot)
        self._show_violations()
        self.flush()

    def leave(self) -> None:
        """End the line after an interruption, so that the prompt of the shell begins a new one."""
        if self._line_open:
            # Do not use the console: if it was interrupted while it wrote, it would write the same text again.
            self._console.file.write("\n")

    def flush(self) -> None:
        """Write what has been shown. This is not part of `show()`, because writing many events at once is cheaper."""
        # Segments are printed unchanged: `print` would wrap a string and change its blanks.
        self._console.print(Segments(self._segments), end="", crop=False)
        self._segments = []

    # Messages

    def _begin(self, event: Any) -> None:
        self._blocks.clear()
        self._sources.clear()
        if self._messages.complete:
            self._line("")
        self._line(f"[message {event.message.id}]", _LABEL)
        self._paragraph = None

    def _end(self, message: Message) -> None:
        self._mark_citations()
        if self._sources:
            self._line("", gap=False)
        for number, citation in enumerate(self._sources, 1):
            self._line(f"[{number}] {citation_line(citation)}", _MARK)
        details = message.stop_details
        self._line(f"stop reason  {message.stop_reason or 'none'}", gap=True)
        if message.stop_sequence is not None:
            self._line(f"sequence     {message.stop_sequence!r}")
        if details is not None:
            said = [getattr(details, name, None) for name in ("category", "explanation")]
            self._line(f"details      {': '.join(str(part) for part in said if part) or json_line(details)}")
        self._line(f"model        {message.model}")
        self._line(f"usage        {usage_line(message)}")
        self._show_violations()

    def _show_violations(self) -> None:
        new: tuple[Violation, ...] = self._engine.violations[self._violations_shown :]
        self._violations_shown += len(new)
        if new:
            self._line(f"violations   {len(new)}", _ODD)
        for violation in new[:_MOST_VIOLATIONS]:
            self._line(f"  {violation}", _ODD)
        if len(new) > _MOST_VIOLATIONS:
            self._line(f"  … {len(new) - _MOST_VIOLATIONS} more: see `streamcore check`", _ODD)

    # Blocks

    def _start_block(self, event: ContentBlockStartEvent) -> None:
        block: Any = event.content_block
        index = event.index
        style, initial = _STREAMED.get(block.type, (_PLAIN, None))
        if block.type == "text":
            self._blocks[index] = _Block(citations=list(block.citations or ()))
            self._write_text(block.text)
            return
        title = " ".join(str(part) for key in ("type", "name", "id") if (part := getattr(block, key, None)))
        self._open(index, f"[{title}]")
        self._blocks[index] = _Block(style, str(getattr(block, "id", block.type)), is_empty=True)
        if initial is not None:
            self._continue(index, initial(block))
            return
        first, *more = result_lines(block)
        self._continue(index, first)
        for line in more:
            self._line(f"  {line}")

    def _add_delta(self, event: ContentBlockDeltaEvent) -> None:
        delta: Any = event.delta
        if isinstance(delta, UnknownDelta):
            self._line(f"[{delta.type} for block {event.index}] {json_line(delta)}", gap=True)
        elif isinstance(delta, CompactionDelta):  # its derived event has the whole text
            self._continue(event.index, delta.content or "")
        else:
            self._show_derived(event)

    def _show_derived(self, event: ContentBlockDeltaEvent | ContentBlockStopEvent) -> None:
        """Show what an event adds to its block. In derived events, surrogate pairs that the deltas split are whole."""
        for derived in derive(event, self._engine):
            if derived.type in self._DERIVED:
                self._DERIVED[derived.type](self, event.index, derived)

    def _stop_block(self, event: ContentBlockStopEvent) -> None:
        self._show_derived(event)  # the half of a pair that the other half has not followed
        self._mark_citations(event.index)
        block = self._blocks[event.index]
        if block.is_empty and block.style is _TOOL:
            self._continue(event.index, "{}")  # a tool that takes no input

    def _mark_citations(self, index: int | None = None) -> None:
        """Put the marks of citations behind the text of a block, or of all blocks if `index` is None.

        Citations arrive before the text that they belong to.
        """
        for block in list(self._blocks.values()) if index is None else [self._blocks[index]]:
            for citation in block.citations:
                self._sources.append(citation)
                self._write_text(f"[{len(self._sources)}]", _MARK)
            block.citations = []

    # Other events

    def _show_error(self, event: ErrorEvent) -> None:
        self._line(f"[error {event.error.type}] {event.error.message}", _BAD, gap=True)

    def _show_unknown(self, event: Any) -> None:
        self._line(f"[event {event.type}] {json_line(event)}", gap=True)

    # Paragraphs

    def _write_text(self, text: str, style: Style = _PLAIN) -> None:
        if text:
            if self._paragraph != "text":
                self._open("text", "")
            self._write(text, style)

    def _continue(self, index: int, text: str) -> None:
        """Print more of a block's paragraph; after another paragraph, on a new line with the label of the block."""
        block = self._blocks[index]
        if text:
            if self._paragraph != index:
                self._end_line()
                self._write(f"[… {block.label}] ", _LABEL)
                self._paragraph = index
            elif block.is_empty:
                self._write(" ")
            block.is_empty = False
            self._write(text, block.style)

    def _open(self, paragraph: int | str, label: str) -> None:
        self._end_line()
        self._print("\n")
        self._paragraph = paragraph
        self._write(label, _LABEL)

    def _line(self, text: str, style: Style = _PLAIN, *, gap: bool = False) -> None:
        """Print a line of its own, with an empty line before it if `gap` is true."""
        self._end_line()
        if gap:
            self._print("\n")
        self._print(visible(text, lines=False), style)
        self._print("\n")
        self._paragraph = None

    def _end_line(self) -> None:
        if self._line_open:
            self._print("\n")
            self._line_open = False

    def _write(self, text: str, style: Style = _PLAIN) -> None:
        if text:
            self._print(visible(text), style)
            self._line_open = not text.endswith("\n")

    def _print(self, text: str, style: Style = _PLAIN) -> None:
        self._segments.append(Segment(text, style))

    _DERIVED: ClassVar[dict[str, Callable[[Display, int, Any], None]]] = {
        **{str(type_tag(row.derived)): _continued(row.source) for row in TEXT_DELTAS.values()},
        "text": lambda self, _, event: self._write_text(event.text),
        "signature": lambda self, index, event: self._continue(
            index, f" [signed: {len(event.signature or '')} characters]"
        ),
        "citation": lambda self, index, event: self._blocks[index].citations.append(event.citation),
    }
    _SHOW: ClassVar[dict[str, Callable[[Display, Any], None]]] = {
        "content_block_start": _start_block,
        "content_block_delta": _add_delta,
        "content_block_stop": _stop_block,
        **dict.fromkeys(("message_start", "message_delta", "message_stop", "ping"), lambda self, event: None),
        "error": _show_error,
    }
    # Events that are part of a message. Outside of one the engine ignores them, and reports a violation.
    _INSIDE = frozenset(_SHOW) - {"error"}
