"""Wire types to strategies: any content block, any message, any other class of `streamcore.types`.

Nothing here lists fields: strategies follow from the annotations of a class, as decoding does. A class that is added
to `streamcore.types` is drawn from then on.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, ClassVar, Literal, TypeVar, Union

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.codec._annotations import without_none
from streamcore.testing._json import cut, json_objects, json_texts, json_values, texts
from streamcore.testing.model import partial_value
from streamcore.types import (
    Base64PDFSource,
    CacheMiss,
    CompactionBlock,
    ContainerSkill,
    ContentBlock,
    FallbackBlock,
    MCPToolUseBlock,
    Message,
    PlainTextSource,
    ServerToolUseBlock,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Unknown,
    Usage,
    WireObject,
)
from streamcore.types._base import with_extra
from streamcore.types._tolerance import MISSING_FIELDS

__all__ = ["CHANGING_BLOCKS", "TOOL_USE_BLOCKS", "content_blocks", "cut_off_blocks", "messages", "wire_objects"]

_W = TypeVar("_W", bound=WireObject)

TOOL_USE_BLOCKS = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)
# The types that deltas come to, those that most streams are made of more often.
CHANGING_BLOCKS = (
    *[TextBlock] * 6,
    *[ToolUseBlock] * 4,
    *[ThinkingBlock] * 3,
    *[CompactionBlock] * 2,
    ServerToolUseBlock,
    MCPToolUseBlock,
)

# Names of fields and types that no version knows; two, so that a test can tell one from the other.
NEW_NAMES = st.sampled_from(["new_thing", "newer_thing"])


def content_blocks(*kinds: type[Any], unknown: bool = False) -> SearchStrategy[ContentBlock]:
    """Content blocks, complete, as a message holds them.

    Args:
        kinds: Their classes, by default all of `streamcore.types.ContentBlock`.
        unknown: Whether they may be of a new type, or hold fields and parts of new types.

    ```python
    content_blocks()  # any
    content_blocks(TextBlock, ToolUseBlock)  # these two
    ```
    """
    return _content_blocks(kinds, unknown)


@functools.cache
def _content_blocks(kinds: tuple[Any, ...], unknown: bool) -> SearchStrategy[ContentBlock]:
    classes = kinds or tuple(sorted(typing.get_args(ContentBlock), key=_simple_first))
    drawn = [cls for cls in classes if unknown or not issubclass(cls, Unknown)]
    return st.one_of([wire_objects(cls, unknown=unknown) for cls in drawn])


def _simple_first(cls: type[Any]) -> int:
    # A failure shrinks towards the first.
    order = (TextBlock, ThinkingBlock, ToolUseBlock)
    return order.index(cls) if cls in order else len(order)


def wire_objects(cls: type[_W], *, unknown: bool = False) -> SearchStrategy[_W]:
    """Values of one class of `streamcore.types`: `wire_objects(Usage)`, `wire_objects(CitationCharLocation)`, ...

    Args:
        cls: The class.
        unknown: Whether they may hold fields, and be made of types, that no version knows.

    ```python
    @given(wire_objects(Usage, unknown=True))
    def test_usage_survives(usage):
        assert converter.structure(usage.to_dict(), Usage) == usage
    ```
    """
    if cls is Message:
        return messages(unknown=unknown)  # type: ignore[return-value]  # `cls` has said so
    if issubclass(cls, Unknown):
        data = st.builds(lambda name, fields: {**fields, "type": name}, NEW_NAMES, json_objects(max_leaves=3))
        return st.builds(cls, data=data)
    return _drawn_object(cls, unknown)


@st.composite
def _drawn_object(draw: st.DrawFn, cls: Any, unknown: bool) -> Any:
    return draw(_objects_of(cls, unknown))


@functools.cache
def _objects_of(cls: Any, unknown: bool) -> SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    # What a server must send is never null. The class has a null only for what one left out.
    hints |= {name: without_none(hints[name]) for name in MISSING_FIELDS.get(cls, {})}
    fields = {
        field.name: _values_of(hints[field.name], unknown)
        for field in attrs.fields(cls)
        if not field.metadata.get("local", False)
    }
    fields |= {name: words for name, words in _WORDS.items() if name in fields}
    fields |= {name: words for (of, name), words in _WORDS_OF.items() if of is cls}
    values = st.builds(cls, **fields)
    if not unknown:
        return values
    extra = st.dictionaries(NEW_NAMES, json_values(max_leaves=3), min_size=1, max_size=1)
    return values | st.builds(with_extra, values, extra)


_SCALARS: dict[Any, SearchStrategy[Any]] = {
    str: texts(max_size=8),
    int: st.integers(0, 1_000_000) | st.just(2**53 + 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


# Where only some words, or texts of one form, make sense to a reader that is stricter than ours.
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
    (Base64PDFSource, "media_type"): st.just("application/pdf"),
    (PlainTextSource, "media_type"): st.just("text/plain"),
    (ContainerSkill, "type"): st.sampled_from(["anthropic", "custom"]),
    (CacheMiss, "type"): st.sampled_from(["model_changed", "system_changed", "tools_changed"]),
    (ServerToolUseBlock, "name"): st.sampled_from(["web_search", "web_fetch", "code_execution"]),
}


@functools.cache
def _values_of(annotation: Any, unknown: bool) -> SearchStrategy[Any]:
    """Values of one annotation of a wire type; a strategy for each kind of annotation that there is."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if annotation is Any or origin is dict:  # a tool's input, and what is only passed on
        return json_objects(max_leaves=4)
    if origin in (Union, types.UnionType):
        members = sorted(arguments, key=lambda member: member is not types.NoneType)
        kept = [member for member in members if unknown or not _is_unknown(member)]
        return st.one_of([_values_of(member, unknown) for member in kept])
    if annotation is types.NoneType:
        return st.none()
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_values_of(arguments[0], unknown), max_size=3).map(tuple)
    if isinstance(annotation, TypeVar):
        return _values_of(annotation.__bound__, unknown)
    assert origin is not ClassVar
    return wire_objects(origin or annotation, unknown=unknown)


def _is_unknown(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Unknown)


# Messages


@st.composite
def cut_off_blocks(draw: st.DrawFn) -> Any:
    """A call of a tool whose input was cut off, as it is when `max_tokens` are reached: `partial_input` is its text,
    `input` the best value of that.
    """
    block = draw(content_blocks(*TOOL_USE_BLOCKS))
    text = draw(json_texts(block.input))  # type: ignore[union-attr]  # it is a call of a tool
    partial, _ = cut(text, [draw(st.integers(0, len(text.rstrip()) - 1))])
    best = partial_value(partial)
    value = {} if best is None else best
    changed: Any = block
    return attrs.evolve(changed, input=value, partial_input=partial or None)


@st.composite
def messages(
    draw: st.DrawFn,
    *,
    blocks: SearchStrategy[ContentBlock] | None = None,
    max_blocks: int = 3,
    cut_off: bool = True,
    details: bool = True,
    unknown: bool = False,
) -> Message:
    """Complete messages, such as a stream can end with.

    Args:
        draw: Given by Hypothesis.
        blocks: Their content blocks, by default `content_blocks()`.
        max_blocks: How many of them a message has at most.
        cut_off: Whether `max_tokens` may have cut off the input of a tool.
        details: Whether they may have more than content, a `stop_reason`, and input and output tokens.
        unknown: Whether they may hold fields, blocks and parts that no version knows.

    ```python
    messages(blocks=content_blocks(TextBlock) | cut_off_blocks(), max_blocks=1)
    ```
    """
    # In the types that deltas come to there is more to get wrong.
    some = content_blocks(*CHANGING_BLOCKS) | content_blocks(unknown=unknown) if blocks is None else blocks
    content = draw(st.lists(some, max_size=max_blocks))
    if cut_off and draw(_SELDOM):
        content.append(draw(cut_off_blocks()))
    cut_one = any(getattr(block, "partial_input", None) is not None for block in content)
    fields: dict[str, Any] = {
        "stop_reason": "max_tokens" if cut_one else draw(_STOP_REASONS),
        "usage": draw(_PLAIN_USAGE),
    }
    if details:
        fields["usage"] = draw(wire_objects(Usage, unknown=unknown))
        fields |= {name: draw(_values_of(hint, unknown)) for name, hint in _details().items()}
    models = [block.to.model for block in content if isinstance(block, FallbackBlock)]
    message = Message(id="msg_1", model=models[-1] if models else "claude-1", content=tuple(content), **fields)
    extra = draw(st.dictionaries(NEW_NAMES, json_values(max_leaves=3), max_size=1)) if unknown else {}
    return with_extra(message, extra) if extra else message


_SELDOM = st.integers(0, 7).map(lambda number: number == 7)
_STOP_REASONS = st.sampled_from(["end_turn", None, *typing.get_args(StopReason)])
_PLAIN_USAGE = st.builds(Usage, input_tokens=_SCALARS[int], output_tokens=_SCALARS[int])


@functools.cache
def _details() -> dict[str, Any]:
    """The fields of a message that are neither always there nor drawn apart, and their annotations."""
    hints = typing.get_type_hints(Message)
    apart = ("id", "model", "role", "content", "stop_reason", "usage")
    return {field.name: hints[field.name] for field in attrs.fields(Message) if field.name not in apart}
