"""What the caller wants an answer to be: the type of its text, and those of the inputs of its tools.

In: a content block that is complete. Out: what is to be set on it: the value of the user's type, or the error. Which
blocks a type belongs to, for those who look into blocks that still grow, is decided here too. Knows nothing of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from streamcore.errors import DecodeError
from streamcore.partial_json import PartialJSON
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.paths import Path, PathError, resolve
from streamcore.typed.shapes import name_of, shape_of
from streamcore.typed.structuring import structure
from streamcore.typed.tools import Tool, tool_types
from streamcore.types import ContentBlock, MCPToolUseBlock, Message, ServerToolUseBlock, TextBlock, ToolUseBlock
from streamcore.types._base import replaced

__all__ = ["AnswerTypes", "OnInvalid", "Target", "is_tool_use"]

OnInvalid: TypeAlias = Literal["raise", "keep"]

_TOOL_USE: Final = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)


def is_tool_use(block: ContentBlock) -> bool:
    """Whether a block calls a tool, and so has JSON that streams."""
    return isinstance(block, _TOOL_USE)


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
    """

    output_format: Any = None
    tools: dict[str, Tool] = attrs.field(factory=dict, converter=_tools)
    on_invalid: OnInvalid = attrs.field(default="raise", validator=attrs.validators.in_(("raise", "keep")))

    def __attrs_post_init__(self) -> None:
        if self.output_format is not None:
            shape_of(self.output_format)

    @property
    def some(self) -> bool:
        """Whether there is any."""
        return self.output_format is not None or bool(self.tools)

    # Complete blocks

    def parse(self, block: ContentBlock, index: int | None = None) -> dict[str, Any]:
        """What a complete block says, as attributes to set on it: `parsed_output` or `parsed_input`, or, if it is not
        of its type, `parse_error`. Nothing, if the block has no type, or ended early: then it says so itself.

        Raises:
            InvalidOutputError: It is not of its type, and such a thing is to be raised.
        """
        try:
            if isinstance(block, TextBlock):
                return self._parse_text(block)
            if isinstance(block, ToolUseBlock):
                return self._parse_input(block)
        except InvalidOutputError as error:
            error.index = index
            if self.on_invalid == "raise":
                raise
            kept = {"parsed_input": block.input} if isinstance(block, ToolUseBlock) else {}
            return {**kept, "parse_error": error}
        return {}

    def _parse_text(self, block: TextBlock) -> dict[str, Any]:
        if self.output_format is None or not block.text.strip():
            return {}
        json = PartialJSON()
        json.feed(block.text)
        try:
            value = json.close()
        except DecodeError as error:
            ended_early = error.offset is None or error.offset >= len(block.text)
            raise InvalidOutputError(
                f"the output {'ended early' if ended_early else 'is no JSON'}: {error.message}",
                offset=error.offset,
                offset_unit="character",
                received=block.text,
            ) from None
        return {"parsed_output": structure(value, self.output_format)}

    def _parse_input(self, block: ToolUseBlock) -> dict[str, Any]:
        found = self.tools.get(block.name)
        if found is None or block.partial_input is not None:
            return {}
        return {"parsed_input": found.structure(block.input)}

    def parse_message(self, message: Message) -> Message:
        """A message that came whole, with what its blocks say.

        Raises:
            InvalidOutputError: As `parse`; with the message as its `snapshot`.
        """
        blocks: list[ContentBlock] = []
        try:
            for index, block in enumerate(message.content):
                found = self.parse(block, index)
                blocks.append(replaced(block, **found) if found else block)
        except InvalidOutputError as error:
            error.snapshot = message
            raise
        return replaced(message, content=tuple(blocks))

    # Growing blocks

    def target(self, path: Path, annotation: Any, *, block: int | None, tool: str | None) -> Target:
        """Where the values at a path are to be looked for, and what they are.

        Without `block` and `tool`, that is in all blocks whose types have the path; without types, in all.

        Raises:
            PathError: The types do not have it.
        """
        typed: dict[str | None, Any] = {name: item.annotation for name, item in self.tools.items()}
        if self.output_format is not None:
            typed[None] = self.output_format
        if tool is not None:
            typed = {name: item for name, item in typed.items() if name == tool}
        elif block is not None:
            typed = {}
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
        named = {name: item.annotation for name, item in self.tools.items() if item.made_from(annotation)}
        types: dict[str | None, Any] = dict(named)
        if self.output_format is not None and self.output_format == annotation:
            types[None] = annotation
        if tool is not None or block is not None:
            types = {}
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
        if is_tool_use(start):
            name: str | None = start.name  # type: ignore[union-attr]  # all three have one
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

    @property
    def wanted(self) -> str:
        return name_of(self.annotation)
