"""Strategies for content blocks, messages and all other classes of `streamcore.types`.

They are made from the annotations of the classes, as decoding is. So a class or a field that is added to
`streamcore.types` needs no change here, except a block that deltas add to: it also goes into `CHANGING_BLOCKS`.
"""

from __future__ import annotations

import functools
import typing
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, TypeVar, Union

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore import types
from streamcore.testing._choices import draw_choices
from streamcore.testing._json import json_objects, json_values, texts, write
from streamcore.testing.model import partial_value
from streamcore.types.base import with_extra
from streamcore.types.structuring.annotations import without_none
from streamcore.types.structuring.tolerance import MISSING_FIELDS

_W = TypeVar("_W", bound=types.WireObject)

TOOL_USE_BLOCKS = (types.ToolUseBlock, types.ServerToolUseBlock, types.MCPToolUseBlock)
# The types of blocks that deltas add to. Those that most streams consist of are drawn more often.
CHANGING_BLOCKS = (
    *[types.TextBlock] * 6,
    *[types.ToolUseBlock] * 4,
    *[types.ThinkingBlock] * 3,
    *[types.CompactionBlock] * 2,
    types.ServerToolUseBlock,
    types.MCPToolUseBlock,
)

# Unknown names of fields and types. There are two, so that a test can tell one from the other.
NEW_NAMES = st.sampled_from(["new_thing", "newer_thing"])


def content_blocks(*kinds: type[Any], unknown: bool = False) -> SearchStrategy[types.ContentBlock]:
    """Complete content blocks, as in a message.

    Args:
        kinds: The classes of the blocks, by default all of `streamcore.types.ContentBlock`.
        unknown: Whether blocks may have a new type, or contain new fields and parts of new types.

    ```python
    content_blocks()  # any
    content_blocks(TextBlock, ToolUseBlock)  # these two
    ```
    """
    return _content_blocks(kinds, unknown)


@functools.cache
def _content_blocks(kinds: tuple[Any, ...], unknown: bool) -> SearchStrategy[types.ContentBlock]:
    classes = kinds or tuple(sorted(typing.get_args(types.ContentBlock), key=_simple_first))
    drawn = [cls for cls in classes if unknown or not issubclass(cls, types.Unknown)]
    return st.one_of([wire_objects(cls, unknown=unknown) for cls in drawn])


def _simple_first(cls: type[Any]) -> int:
    # A failure shrinks towards the first.
    order = (types.TextBlock, types.ThinkingBlock, types.ToolUseBlock)
    return order.index(cls) if cls in order else len(order)


def wire_objects(cls: type[_W], *, unknown: bool = False) -> SearchStrategy[_W]:
    """Values of one class of `streamcore.types`: `wire_objects(Usage)`, `wire_objects(CitationCharLocation)`, ...

    Args:
        cls: The class.
        unknown: Whether they may contain new fields, and parts of new types.

    ```python
    @given(wire_objects(Usage, unknown=True))
    def test_usage_survives(usage):
        assert converter.structure(usage.to_dict(), Usage) == usage
    ```
    """
    if cls is types.Message:
        return messages(unknown=unknown)  # type: ignore[return-value]  # `cls` is Message
    if issubclass(cls, types.Unknown):
        return _unknown_objects(cls)  # type: ignore[return-value]  # `cls` is Unknown
    return _known_objects(cls, unknown)


_NOTHING: SearchStrategy[dict[str, Any]] = st.just({})
_FEW_FIELDS = json_objects(max_leaves=3)
_EXTRA = _NOTHING | st.dictionaries(NEW_NAMES, json_values(max_leaves=3), min_size=1, max_size=1)


# These are composites, not `st.builds()`: Hypothesis explains a failure for each argument of a `builds()` apart, and
# that takes longer than shrinking does.
@st.composite
def _unknown_objects(draw: st.DrawFn, cls: type[types.Unknown]) -> types.Unknown:
    name = draw(NEW_NAMES)
    return cls(data={**draw(_FEW_FIELDS), "type": name})


@st.composite
def _known_objects(draw: st.DrawFn, cls: Any, unknown: bool) -> Any:
    value = cls(**{name: draw(values) for name, values in _fields_of(cls, unknown).items()})
    extra = draw(_EXTRA) if unknown else {}
    return with_extra(value, extra) if extra else value


@functools.cache
def _fields_of(cls: Any, unknown: bool) -> dict[str, SearchStrategy[Any]]:
    """Return a strategy for each field of a class."""
    hints = typing.get_type_hints(cls)
    # A server must send these fields. The class allows None only for a server that leaves one out.
    hints |= {name: without_none(hints[name]) for name in MISSING_FIELDS.get(cls, {})}
    fields = {
        field.name: _values_of(hints[field.name], unknown)
        for field in attrs.fields(cls)
        if not field.metadata.get("local", False)
    }
    fields |= {name: words for name, words in _WORDS.items() if name in fields}
    return fields | {name: words for (of, name), words in _WORDS_OF.items() if of is cls}


_SCALARS: dict[Any, SearchStrategy[Any]] = {
    str: texts(max_size=8),
    int: st.integers(0, 1_000_000) | st.sampled_from([2**53, 2**53 + 1]),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


# Fields for which a reader that is stricter than ours accepts only some words, or texts of one form.
_TIMES = st.sampled_from(["2026-11-20T12:00:00Z", "2026-01-01T00:00:00.123456Z"])
_WORDS: dict[str, SearchStrategy[Any]] = {
    "error_code": st.sampled_from(["unavailable", "too_many_requests"]),
    "category": st.sampled_from([None, "cyber", "bio"]),
    "file_type": st.sampled_from(["text", "image", "pdf"]),
    "reason": st.sampled_from(["expired", "not_enabled"]),
    "expires_at": _TIMES,
    "retrieved_at": st.none() | _TIMES,
}
_WORDS_OF: dict[tuple[Any, str], SearchStrategy[Any]] = {
    (types.Base64PDFSource, "media_type"): st.just("application/pdf"),
    (types.PlainTextSource, "media_type"): st.just("text/plain"),
    (types.ContainerSkill, "type"): st.sampled_from(["anthropic", "custom"]),
    (types.CacheMiss, "type"): st.sampled_from(["model_changed", "system_changed", "tools_changed"]),
    (types.ServerToolUseBlock, "name"): st.sampled_from(["web_search", "web_fetch", "code_execution"]),
}


@functools.cache
def _values_of(annotation: Any, unknown: bool) -> SearchStrategy[Any]:
    """Return a strategy for the values of a field with this annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if annotation is Any or origin is dict:  # a tool's input, and values of any type
        return json_objects(max_leaves=4)
    if origin in (Union, UnionType):
        members = sorted(arguments, key=lambda member: member is not NoneType)
        kept = [member for member in members if unknown or not _is_unknown(member)]
        return st.one_of([_values_of(member, unknown) for member in kept])
    if annotation is NoneType:
        return st.none()
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_values_of(arguments[0], unknown), max_size=3)
    if isinstance(annotation, TypeVar):
        return _values_of(annotation.__bound__, unknown)
    assert origin is not ClassVar
    return wire_objects(origin or annotation, unknown=unknown)


def _is_unknown(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, types.Unknown)


# Messages


@st.composite
def cut_off_blocks(draw: st.DrawFn) -> Any:
    """Draw a tool call whose input was cut off, as by `max_tokens`.

    `partial_input` is the text of the input so far, and `input` its best value.
    """
    block: Any = draw(content_blocks(*TOOL_USE_BLOCKS))
    text = write(block.input, draw_choices(draw))
    partial = text[: draw(st.integers(0, 0xFFFF)) % len(text.rstrip())]
    return attrs.evolve(block, input=partial_value(partial, {}), partial_input=partial or None)


@st.composite
def messages(
    draw: st.DrawFn,
    *,
    blocks: SearchStrategy[types.ContentBlock] | None = None,
    max_blocks: int = 3,
    cut_off: bool = True,
    details: bool = True,
    unknown: bool = False,
) -> types.Message:
    """Draw a complete message, as at the end of a stream.

    Args:
        draw: Given by Hypothesis.
        blocks: The content blocks, by default any of `content_blocks()`.
        max_blocks: How many blocks a message has at most.
        cut_off: Whether `max_tokens` may have cut off the input of a tool; its block is one more.
        details: Whether a message may have more than content, a `stop_reason`, and input and output tokens.
        unknown: Whether it may contain new fields, and blocks and parts of new types.

    ```python
    messages(blocks=content_blocks(TextBlock) | cut_off_blocks(), max_blocks=1)
    ```
    """
    kinds = (_COMMON_BLOCKS, _any_blocks(unknown)) if blocks is None else (blocks,)
    content = draw(st.one_of([st.lists(some, max_size=max_blocks) for some in kinds]))
    stop_reason = draw(_STOP_REASONS)
    usage = types.Usage(input_tokens=draw(_SCALARS[int]), output_tokens=draw(_SCALARS[int]))
    last = draw(_SELDOM_CUT_OFF) if cut_off else None
    if last is not None:
        content.append(last)
    if any(getattr(block, "partial_input", None) is not None for block in content):
        stop_reason = "max_tokens"
    models = [block.to.model for block in content if isinstance(block, types.FallbackBlock)]
    fields: dict[str, Any] = {
        "id": "msg_1",
        "model": models[-1] if models else "claude-1",
        "content": content,
        "stop_reason": stop_reason,
        "usage": usage,
    }
    more = draw(_NOTHING | _details(unknown)) if details else {}
    message = types.Message(**fields | more)
    extra = draw(_EXTRA) if unknown else {}
    return with_extra(message, extra) if extra else message


@functools.cache
def _any_blocks(unknown: bool) -> SearchStrategy[types.ContentBlock]:
    return content_blocks(*CHANGING_BLOCKS) | content_blocks(unknown=unknown)


# Half of the messages have only these, so that two blocks of the same type often stand side by side. A failure shrinks
# to the alternative that takes the fewest draws: the first one takes none.
_COMMON_BLOCKS = st.just(types.TextBlock(text="")) | content_blocks(*CHANGING_BLOCKS[:13])
_STOP_REASONS = st.sampled_from(["end_turn", None, *typing.get_args(types.StopReason)])
_SELDOM_CUT_OFF = st.integers(0, 7).flatmap(lambda number: cut_off_blocks() if number == 7 else st.none())


@st.composite
def _details(draw: st.DrawFn, unknown: bool) -> dict[str, Any]:
    """Draw the fields of a message that are not drawn apart, its usage among them."""
    apart = ("id", "model", "role", "content", "stop_reason")
    return {name: draw(values) for name, values in _fields_of(types.Message, unknown).items() if name not in apart}
