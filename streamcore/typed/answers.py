"""The types that the caller wants in an answer: of its text, and of the inputs of its tools.

`AnswerTypes` parses complete content blocks: it returns the value of the user's type, or the error, as attributes to
set on the block. For views of growing blocks, it also decides which blocks a type belongs to. It knows nothing of
events.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from streamcore._objects.construct import evolve
from streamcore._objects.immutable import ImmutableList
from streamcore.accumulator import ParserState
from streamcore.errors import InvalidArgumentError, ProtocolError, excerpt
from streamcore.partial_json import PartialJSON
from streamcore.typed.annotations import name_of
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.paths import Path, PathError, resolve
from streamcore.typed.schema import check_type, json_schema
from streamcore.typed.structuring import structure
from streamcore.typed.tools import Tool, tool_types
from streamcore.types import ContentBlock, MCPToolUseBlock, Message, ServerToolUseBlock, TextBlock, ToolUseBlock

__all__ = ["AnswerTypes", "OnInvalid", "Target"]

OnInvalid: TypeAlias = Literal["raise", "keep"]

_ToolUse: TypeAlias = ToolUseBlock | ServerToolUseBlock | MCPToolUseBlock
# Stop reasons with which the output may be incomplete: the model was stopped too early, or refused.
_INCOMPLETE_OUTPUT: Final = frozenset({None, "max_tokens", "model_context_window_exceeded", "pause_turn", "refusal"})


def _tools(tools: Any) -> dict[str, Tool]:
    return tool_types(tools or {})


@attrs.frozen(kw_only=True)
class AnswerTypes:
    """The types of an answer.

    Args:
        output_format: The type of text blocks, which then hold JSON; None if they are plain text.
        tools: The tools whose input has a type: a mapping of their names to classes and functions, or a list of these.
        on_invalid: What to do if an answer is not of its type: `"raise"` the error, or `"keep"` the block as it is,
            with the error in `parse_error`.

    Raises:
        UnsupportedTypeError: JSON cannot be structured as one of the types.
        InvalidArgumentError: `on_invalid` has another value.
    """

    output_format: Any = None
    tools: dict[str, Tool] = attrs.field(factory=dict, converter=_tools)
    on_invalid: OnInvalid = "raise"

    def __attrs_post_init__(self) -> None:
        if self.on_invalid not in ("raise", "keep"):
            raise InvalidArgumentError(f"on_invalid must be one of 'raise', 'keep', not {self.on_invalid!r}")
        if self.output_format is not None:
            check_type(self.output_format)

    @property
    def has_types(self) -> bool:
        """Whether there are any types."""
        return self.output_format is not None or bool(self.tools)

    # Checkpoints

    def get_state(self) -> ParserState:
        """Return what a checkpoint says about the types."""
        return ParserState(
            on_invalid=self.on_invalid,
            output_format=None if self.output_format is None else _described(self.output_format),
            tools={name: _described(tool.annotation) for name, tool in self.tools.items()},
        )

    # Complete blocks

    def parse(self, block: ContentBlock, index: int | None = None) -> dict[str, Any]:
        """Parse a complete block. Return attributes to set on it: `parsed_output`, `parsed_input` or `parse_error`.

        If the block is not complete JSON, this only returns a `parse_error`, because the reason why the model stopped
        may explain it. `check_end` decides whether to raise it.

        Raises:
            InvalidOutputError: The block is JSON but not of its type, and `on_invalid` is "raise".
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
                f"the output is not complete JSON: {error.message}",
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
            raise InvalidOutputError(
                f"the input of {excerpt(block.name)} is not complete JSON", received=block.partial_input
            )
        return {"parsed_input": found.structure(block.input)}

    def keeps_invalid_json(self, block: ContentBlock) -> bool:
        """Return whether the input of this tool may be wrong JSON: it has a type, and `on_invalid` is "keep"."""
        return self.on_invalid == "keep" and isinstance(block, _ToolUse) and block.name in self.tools

    def check_end(self, parsed: Iterable[Mapping[str, Any]], stop_reason: str | None) -> None:
        """Check at the end of a message that all blocks could be parsed, unless the stop reason excuses them.

        A blank text is allowed beside another output, or before the use of a tool.

        Args:
            parsed: What `parse` returned for the blocks of the message.
            stop_reason: Why the model stopped.

        Raises:
            InvalidOutputError: A block is not complete JSON, and `on_invalid` is "raise".
        """
        if self.on_invalid != "raise" or stop_reason in _INCOMPLETE_OUTPUT:
            return
        found = list(parsed)
        blank_is_wrong = stop_reason != "tool_use" and not any("parsed_output" in attributes for attributes in found)
        for attributes in found:
            error: InvalidOutputError | None = attributes.get("parse_error")
            # Only the error of a text has an offset. That of a tool's input has none.
            is_blank_text = error is not None and error.offset is not None and not str(error.received).strip()
            if error is not None and (blank_is_wrong or not is_blank_text):
                raise error

    def parse_message(self, message: Message) -> Message:
        """Return a message that came whole with its blocks parsed.

        Raises:
            InvalidOutputError: As for `parse` and `check_end`, with the message as `snapshot`.
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
        return evolve(message, {"content": ImmutableList(blocks)})

    # Growing blocks

    def target(self, path: Path, annotation: Any, *, block: int | None, tool: str | None) -> Target:
        """Return the blocks in which to look for the values at a path, and the types of these values.

        Without `block` and `tool`, these are all blocks whose types have the path or, without types, all blocks.

        Raises:
            PathError: None of the types has the path.
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
        """Return the blocks in which to look for a value of a type: the blocks of that type or, without any, all."""
        types: dict[str | None, Any] = {}
        if tool is None and block is None:
            types |= {name: annotation for name, item in self.tools.items() if item.annotation == annotation}
            if self.output_format == annotation:
                types[None] = annotation
        return Target(block=block, tool=tool, types=types, annotation=annotation)


@attrs.frozen(kw_only=True)
class Target:
    """The blocks that a view reads.

    Attributes:
        block: The index of the only block, or None for any.
        tool: The name of the tool that the block must call, or None for any.
        types: If not empty, only blocks in this mapping are read: under the name of the tool that they call, or under
            None for text. The value is the type of what the view looks for in such a block.
        annotation: The type that the caller asked for, which takes precedence over `types`; None without one.
    """

    block: int | None
    tool: str | None
    types: Mapping[str | None, Any]
    annotation: Any

    def type_in(self, start: ContentBlock, index: int) -> tuple[bool, Any]:
        """Return whether to read this block, and the type of what the view looks for in it (`Any` if unknown)."""
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


def _described(annotation: Any) -> str:
    """Return the name of a type, and a checksum of its JSON schema without the descriptions."""
    schema = json.dumps(_without_descriptions(json_schema(annotation)), sort_keys=True, default=repr)
    return f"{name_of(annotation)} (schema {zlib.crc32(schema.encode()):08x})"


def _without_descriptions(schema: Any) -> Any:
    if isinstance(schema, dict):
        # A member that is named "description" is a schema, and so no string.
        return {
            key: _without_descriptions(value)
            for key, value in schema.items()
            if not (key in ("description", "title") and isinstance(value, str))
        }
    return [_without_descriptions(item) for item in schema] if isinstance(schema, list) else schema
