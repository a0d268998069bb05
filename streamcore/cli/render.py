"""A stream as it unfolds, for people: what `streamcore replay` prints.

Text is printed bare and as it comes; everything else in a paragraph of its own that begins with what it is in
brackets. Styles are all that a terminal adds: without one the same characters come out, and no control codes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, ClassVar

from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from streamcore import MessageEngine, MessageStreamEvent, Violation
from streamcore.cli.source import Boundaries, visible
from streamcore.cli.summary import citation_line, json_line, result_lines, usage_line
from streamcore.stream import derive
from streamcore.types import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    ErrorEvent,
    Message,
)

__all__ = ["Display", "Pace"]

_PLAIN = Style()
_DIM = Style(dim=True)
_LABEL = Style(bold=True)
_TOOL = Style(color="cyan")
_MARK = Style(color="blue")
_BAD = Style(color="red", bold=True)
_ODD = Style(color="yellow")

_MOST_VIOLATIONS = 10
_EVENTS_PER_SECOND = 40

# Blocks whose contents stream after their label: how that looks, and what of it a block may begin with.
_STREAMED: dict[str, tuple[Style, Callable[[Any], str]]] = {
    "thinking": (_DIM, lambda block: block.thinking),
    "compaction": (_DIM, lambda block: block.content or ""),
    "tool_use": (_TOOL, lambda block: _input_text(block.input)),
    "server_tool_use": (_TOOL, lambda block: _input_text(block.input)),
    "mcp_tool_use": (_TOOL, lambda block: _input_text(block.input)),
}


def _input_text(value: Any) -> str:
    """Return the input that a tool's block begins with, or nothing for the usual empty object."""
    return json.dumps(value, ensure_ascii=False) if value else ""


class Pace:
    """Spreads events evenly over time: a capture says what came, not when.

    Args:
        speed: 1 is 40 events a second, about what a model writes; 2 is twice that.
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


class Display:
    """Prints events, one by one.

    Args:
        console: Where to.
        engine: The engine that they come from, in step with them.
    """

    def __init__(self, console: Console, engine: MessageEngine) -> None:
        self._console = console
        self._engine = engine
        self._messages = Boundaries()
        self._violations_shown = 0
        self._segments: list[Segment] = []
        self._line_open = False
        # What the open paragraph belongs to: a block's index, or "text" for all text, which may be cut into blocks.
        self._paragraph: int | str | None = None
        # How a block is called where its paragraph goes on after others, and which have shown nothing but their label.
        self._labels: dict[int, str] = {}
        self._silent: set[int] = set()
        self._styles: dict[int, Style] = {}
        self._citations: dict[int, list[Any]] = {}
        self._sources: list[Any] = []

    def show(self, event: MessageStreamEvent) -> None:
        """Take the next event; `flush()` prints what it brings, if anything."""
        if self._messages.begins(event):
            self._begin(event)
        elif self._messages.ends(event):
            self._end(self._engine.final_message)
        elif self._messages.open or event.type not in self._INSIDE:
            self._SHOW.get(event.type, Display._show_unknown)(self, event)

    def finish(self) -> None:
        """Nothing more will come: show what is known of a message that has not ended, and violations not yet shown."""
        if self._messages.open and self._engine.snapshot is not None:
            self._mark_citations()
            self._line("[incomplete: the message breaks off here]", _BAD, gap=True)
            self._end(self._engine.snapshot)
        self._show_violations()
        self.flush()

    def leave(self) -> None:
        """Nobody wants more: end the line, for the prompt of a shell that comes next."""
        if self._line_open:
            # Not by way of the console: interrupted while it wrote, it would write the same once more.
            self._console.file.write("\n")

    def flush(self) -> None:
        """Write what has been shown. Apart from `show()`, as writing many events at once is far cheaper."""
        # Segments go out as they are: `print` of a string would wrap it and change its blanks.
        self._console.print(Segments(self._segments), end="", crop=False)
        self._segments = []

    # Messages

    def _begin(self, event: Any) -> None:
        self._citations.clear()
        self._labels.clear()
        self._silent.clear()
        self._styles.clear()
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
        self._styles[index] = style
        if block.type == "text":
            self._write_text(block.text)
            self._citations[index] = list(block.citations or ())
            return
        title = " ".join(str(part) for key in ("type", "name", "id") if (part := getattr(block, key, None)))
        self._labels[index] = str(getattr(block, "id", block.type))
        self._open(index, f"[{title}]")
        self._silent.add(index)
        if initial is not None:
            self._continue(index, initial(block))
            return
        first, *more = result_lines(block)
        self._continue(index, first)
        for line in more:
            self._line(f"  {line}")

    def _add_delta(self, event: ContentBlockDeltaEvent) -> None:
        block = self._engine.block_in_progress(event.index)
        if block is not None and block.may_have_halves and event.delta.type in self._TEXTS.values():
            # A surrogate pair may be split between two deltas: their derived events have it whole.
            self._show_derived(event)
        else:
            self._DELTAS.get(event.delta.type, Display._unknown_delta)(self, event.index, event.delta)

    def _show_derived(self, event: ContentBlockDeltaEvent | ContentBlockStopEvent) -> None:
        for derived in derive(event, self._engine):
            if derived.type in self._TEXTS:
                self._DELTAS[self._TEXTS[derived.type]](self, event.index, derived)

    def _text_delta(self, index: int, delta: Any) -> None:
        self._write_text(delta.text)

    def _thinking_delta(self, index: int, delta: Any) -> None:
        self._continue(index, delta.thinking)

    def _input_json_delta(self, index: int, delta: Any) -> None:
        self._continue(index, delta.partial_json)

    def _compaction_delta(self, index: int, delta: Any) -> None:
        self._continue(index, delta.content or "")

    def _signature_delta(self, index: int, delta: Any) -> None:
        self._continue(index, f" [signed: {len(delta.signature or '')} characters]")

    def _citations_delta(self, index: int, delta: Any) -> None:
        self._citations.setdefault(index, []).append(delta.citation)

    def _unknown_delta(self, index: int, delta: Any) -> None:
        self._line(f"[{delta.type} for block {index}] {json_line(delta)}", gap=True)

    def _stop_block(self, event: ContentBlockStopEvent) -> None:
        self._show_derived(event)  # the half of a pair that the other half has not followed
        self._mark_citations(event.index)
        if event.index in self._silent and self._styles[event.index] is _TOOL:
            self._continue(event.index, "{}")  # a tool that takes no input

    def _mark_citations(self, index: int | None = None) -> None:
        """Put marks behind a text, as its citations come before it; of all blocks that have none yet, if `None`."""
        for key in list(self._citations) if index is None else [index]:
            for citation in self._citations.pop(key, ()):
                self._sources.append(citation)
                self._write_text(f"[{len(self._sources)}]", _MARK)

    # Other events

    def _nothing(self, event: Any) -> None:
        pass

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
        """More of a block's paragraph; if another has come between, on a line that says whose it is."""
        if text:
            if self._paragraph != index:
                self._end_line()
                self._write(f"[… {self._labels.get(index, 'text')}] ", _LABEL)
                self._paragraph = index
            elif index in self._silent:
                self._write(" ")
            self._silent.discard(index)
            self._write(text, self._styles.get(index, _PLAIN))

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

    _DELTAS: ClassVar[dict[str, Callable[[Display, int, Any], None]]] = {
        "text_delta": _text_delta,
        "thinking_delta": _thinking_delta,
        "input_json_delta": _input_json_delta,
        "compaction_delta": _compaction_delta,
        "signature_delta": _signature_delta,
        "citations_delta": _citations_delta,
    }
    # The deltas that have text, by the type of their derived events, which have it under the same name.
    _TEXTS: ClassVar[dict[str, str]] = {
        "text": "text_delta",
        "thinking": "thinking_delta",
        "input_json": "input_json_delta",
    }
    _SHOW: ClassVar[dict[str, Callable[[Display, Any], None]]] = {
        "content_block_start": _start_block,
        "content_block_delta": _add_delta,
        "content_block_stop": _stop_block,
        "message_start": _nothing,
        "message_delta": _nothing,
        "message_stop": _nothing,
        "ping": _nothing,
        "error": _show_error,
    }
    # What belongs to a message: outside of one it was not applied, and a violation says so.
    _INSIDE = frozenset(_SHOW) - {"error"}
