"""What the caller wants an answer to be: the type of its text, and those of the inputs of its tools.

In: a content block that is complete. Out: what is to be set on it: the value of the user's type, or the error. Which
blocks a type belongs to, for those who look into blocks that still grow, is decided here too. Knows nothing of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from streamcore.errors import InvalidArgumentError, ProtocolError
from streamcore.partial_json import PartialJSON
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.paths import Path, PathError, resolve
from streamcore.typed.structuring import structure
from streamcore.typed.supported import check_type
from streamcore.typed.tools import Tool, tool_types
from streamcore.types import ContentBlock, MCPToolUseBlock, Message, ServerToolUseBlock, TextBlock, ToolUseBlock

__all__ = ["AnswerTypes", "OnInvalid", "Target"]

OnInvalid: TypeAlias = Literal["raise", "keep"]

_ToolUse: TypeAlias = ToolUseBlock | ServerToolUseBlock | MCPToolUseBlock
# With one of these, or none, the model was stopped before it had written what it wanted, or refused to.
_EXCUSES: Final = frozenset({None, "max_tokens", "model_context_window_exceeded", "pause_turn", "refusal"})


def _tools(tools: Any) -> dict[str, Tool]:
    return tool_types(tools or {})


@attrs.frozen(kw_only=True)
class AnswerTypes:
    """The types of an answer.

    Args:
        output_format: The type of its text blocks, which hold JSON then; `None` if they are just text.
        tools: The tools whose input has a type: a mapping of their names to classes and functions, or a list of these.
        on_invalid: What happens to an answer that is not of its type: `"raise"`, or `"keep"`: it stays what it is,
            with the error beside it.

    Raises:
        UnsupportedTypeError: JSON cannot be structured as one of them.
        InvalidArgumentError: `on_invalid` is something else.
    """

    output_format: Any = None
    tools: dict[str, Tool] = attrs.field(factory=dict, converter=_tools)
    on_invalid: OnInvalid = "raise"

    def __attrs_post_init__(self) -> None:
        if self.on_invalid not in ("raise", "keep"):
            raise InvalidArgumentError(f"on_invalid must be 'raise' or 'keep', not {self.on_invalid!r}")
        if self.output_format is not None:
            check_type(self.output_format)

    @property
    def some(self) -> bool:
        """Whether there is any."""
        return self.output_format is not None or bool(self.tools)

    # Complete blocks

    def parse(self, block: ContentBlock, index: int | None = None) -> dict[str, Any]:
        """What a complete block says, as attributes to set on it: `parsed_output` or `parsed_input`. If it is no whole
        JSON, `parse_error` says so, and it is for `check_end` to raise that: the reason why the model stopped may
        explain it.

        Raises:
            InvalidOutputError: It is not of its type, and that is to be raised.
        """
        try:
            if isinstance(block, TextBlock):
                return self._parse_text(block)
            if isinstance(block, _ToolUse):
                return self._parse_input(block)
        except InvalidOutputError as error:
            error.index = index
            if error.faults and self.on_invalid == "raise":
                raise
            as_it_is = {"parsed_input": block.input} if error.faults and isinstance(block, _ToolUse) else {}
            return {**as_it_is, "parse_error": error}
        return {}

    def _parse_text(self, block: TextBlock) -> dict[str, Any]:
        if self.output_format is None:
            return {}
        json = PartialJSON()
        json.feed(block.text)
        try:
            value = json.close()
        except ProtocolError as error:
            raise InvalidOutputError(
                f"the output is no whole JSON: {error.message}",
                offset=error.offset,
                offset_unit="character",
                received=block.text,
            ) from None
        return {"parsed_output": structure(value, self.output_format)}

    def _parse_input(self, block: _ToolUse) -> dict[str, Any]:
        found = self.tools.get(block.name)
        if found is None:
            return {}
        if block.partial_input is not None:
            raise InvalidOutputError(f"the input of {block.name!r} is no whole JSON", received=block.partial_input)
        return {"parsed_input": found.structure(block.input)}

    def check_end(self, parsed: Iterable[Mapping[str, Any]], stop_reason: str | None) -> None:
        """The message is complete: see that all of it could be parsed, unless the reason for stopping excuses it. A
        text that is blank may stand beside another output, or before the use of a tool.

        Args:
            parsed: What `parse` said of its blocks.
            stop_reason: Why the model stopped.

        Raises:
            InvalidOutputError: Something is no whole JSON, and that is to be raised.
        """
        if self.on_invalid != "raise" or stop_reason in _EXCUSES:
            return
        found = list(parsed)
        blank_is_wrong = stop_reason != "tool_use" and not any("parsed_output" in attributes for attributes in found)
        for attributes in found:
            error: InvalidOutputError | None = attributes.get("parse_error")
            is_blank_text = error is not None and error.offset is not None and not str(error.received).strip()
            if error is not None and (blank_is_wrong or not is_blank_text):
                raise error

    def parse_message(self, message: Message) -> Message:
        """A message that came whole, with what its blocks say.

        Raises:
            InvalidOutputError: As `parse` and `check_end`; with the message as its `snapshot`.
        """
        try:
            parsed = [self.parse(block, index) for index, block in enumerate(message.content)]
            self.check_end(parsed, message.stop_reason)
        except InvalidOutputError as error:
            error.snapshot = message
            raise
        blocks = [
            attrs.evolve(block, **attributes) if attributes else block
            for block, attributes in zip(message.content, parsed, strict=True)
        ]
        return attrs.evolve(message, content=tuple(blocks))

    # Growing blocks

    def target(self, path: Path, annotation: Any, *, block: int | None, tool: str | None) -> Target:
        """Where the values at a path are to be looked for, and what they are.

        Without `block` and `tool`, that is in all blocks whose types have the path; without types, in all.

        Raises:
            PathError: The types do not have it.
        """
        typed: dict[str | None, Any] = {}
        if block is None:
            typed |= {name: item.annotation for name, item in self.tools.items() if tool in (None, name)}
            if self.output_format is not None and tool is None:
                typed[None] = self.output_format
        found: dict[str | None, Any] = {}
        reasons: list[str] = []
        for name, item in typed.items():
            try:
                found[name] = resolve(path, item)
            except PathError as error:
                reasons.append(str(error))
        if reasons and not found:
            raise PathError("; ".join(reasons))
        return Target(block=block, tool=tool, types=found, annotation=annotation)

    def target_of(self, annotation: Any, *, block: int | None, tool: str | None) -> Target:
        """Where a value of a type is to be looked for: in the blocks that it is the type of, or else in all."""
        types: dict[str | None, Any] = {}
        if tool is None and block is None:
            types |= {name: annotation for name, item in self.tools.items() if item.annotation == annotation}
            if self.output_format == annotation:
                types[None] = annotation
        return Target(block=block, tool=tool, types=types, annotation=annotation)


@attrs.frozen(kw_only=True)
class Target:
    """Blocks that are meant.

    Attributes:
        block: The index of the only one, `None` for any.
        tool: The name of the tool that it has to call, `None` for any.
        types: If these say something, the only blocks: of tools with these names, and under `None` text. With each the
            type of what is looked for there.
        annotation: The type that the caller wants, which goes before those; `None` if he has not said.
    """

    block: int | None
    tool: str | None
    types: Mapping[str | None, Any]
    annotation: Any

    def type_in(self, start: ContentBlock, index: int) -> tuple[bool, Any]:
        """Whether a block is meant, and the type of what is looked for there (`Any` if there is none to be known)."""
        if isinstance(start, _ToolUse):
            name: str | None = start.name
        elif isinstance(start, TextBlock) and self.tool is None:
            name = None
        else:
            return False, Any
        meant = (
            (self.block is None or self.block == index)
            and (self.tool is None or self.tool == name)
            and (not self.types or name in self.types)
        )
        return meant, self.types.get(name, Any) if self.annotation is None else self.annotation
