"""The aspects of streams that `check_accumulator` tries one after the other: features of legal streams, and faults.

Streams of a legal aspect are plain except for one feature. So a disagreement is about that feature, and does not hide
disagreements about the others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.testing._broken import BROKEN_ROWS, BrokenStream, broken_streams
from streamcore.testing._values import TOOL_USE_BLOCKS, content_blocks
from streamcore.testing._whole import WholeStream, whole_streams
from streamcore.testing._wire import FRAMINGS, Framing
from streamcore.types import CompactionBlock, ContentBlock, FallbackBlock, TextBlock, ThinkingBlock, UnknownBlock

Sample: TypeAlias = WholeStream | BrokenStream


# Streams of text and tool calls, as the API mostly sends them.
_PLAIN: dict[str, Any] = {
    "blocks": (TextBlock, *TOOL_USE_BLOCKS),
    "max_blocks": 2,
    "cut_off": False,
    "details": False,
    "interleaved": False,
    "prefilled": False,
    "sparse": False,
    "formatted": False,
    "pings": False,
    "unknown": False,
    "framing": (),
}

_FRAMING: dict[Framing, str] = {
    "padding": "blanks before the closing brace of a payload",
    "line_ends": "CR and CRLF as line ends",
    "bom": "a byte order mark",
    "comments": "comments and blank lines",
    "fields": "id, retry and unknown fields, no blank after the colon, data before event",
    "data_lines": "payloads on several data lines",
    "json": "payloads with blanks, escapes and keys in another order",
    "nulls": "fields of a message_delta null instead of absent, or absent instead of null",
    "missing_names": "events without an event: line",
}

_BLOCKS_WITH_AN_ASPECT = (TextBlock, ThinkingBlock, CompactionBlock, FallbackBlock, UnknownBlock, *TOOL_USE_BLOCKS)
_OTHER_BLOCKS = tuple(cls for cls in get_args(ContentBlock) if cls not in _BLOCKS_WITH_AN_ASPECT)

# The description of each legal aspect, and the options that it adds to those of a plain stream.
_LEGAL: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("text, with citations", {"blocks": (TextBlock,)}),
    "tool_use": ("tool calls, their input in fragments", {"blocks": TOOL_USE_BLOCKS}),
    "formatted_input": (
        "tool calls, their input with any blanks and escapes",
        {"blocks": TOOL_USE_BLOCKS, "formatted": True},
    ),
    "thinking": ("thinking, with a signature", {"blocks": (ThinkingBlock,)}),
    "compaction": ("compactions, in pieces", {"blocks": (CompactionBlock,)}),
    "fallback": ("a fallback to another model", {"blocks": (TextBlock, FallbackBlock)}),
    "other_blocks": ("blocks of all other types", {"blocks": _OTHER_BLOCKS}),
    "details": ("all fields of a message and its usage", {"details": True}),
    "pings": ("pings, anywhere", {"pings": True}),
    "interleaved": ("blocks whose deltas come mixed", {"interleaved": True, "max_blocks": 3}),
    "prefilled": ("blocks that hold something when they start", {"prefilled": True}),
    "sparse": ("totals and fields over several message_deltas, or in message_start", {"sparse": True, "details": True}),
    "cut_off": ("the input of a tool cut off by max_tokens", {"cut_off": True}),
    "unknown": (
        "events, blocks and fields that are new",
        {"unknown": True, "blocks": (TextBlock, *TOOL_USE_BLOCKS, UnknownBlock)},
    ),
    **{name: (description, {"framing": (name,)}) for name, description in _FRAMING.items()},
}

# "unknown" is a legal aspect already. The others need limits or a clock, which not every accumulator has.
_NOT_FOR_ALL = ("unknown", "over_limit", "stall")
_BROKEN = {name: description for name, description in BROKEN_ROWS.items() if name not in _NOT_FOR_ALL}

ASPECTS: dict[str, str] = {
    **{name: description for name, (description, _) in _LEGAL.items()},
    "everything": "all legal aspects together, except those that are skipped",
    **_BROKEN,
}
"""The description of each aspect by its name. Simple aspects come first."""


def chosen_aspects(names: Collection[str] | None, skip: Collection[str]) -> dict[str, SearchStrategy[Any]]:
    """Return the streams of the aspects with these names, by default all, without those to be skipped.

    Raises:
        ValueError: A name is unknown.
    """
    for name in (*(names or ()), *skip):
        if name not in ASPECTS:
            raise ValueError(f"{name!r} is not an aspect; it must be one of {', '.join(ASPECTS)}")
    chosen = [name for name in ASPECTS if (names is None or name in names) and name not in skip]
    return {name: _samples(name, skip) for name in chosen}


def _samples(name: str, skip: Collection[str]) -> SearchStrategy[Any]:
    if name in _BROKEN:
        return broken_streams(name)
    if name != "everything":
        return _whole(_PLAIN | _LEGAL[name][1])
    options = dict(_PLAIN)
    added = [options_of for other, (_, options_of) in _LEGAL.items() if other not in skip]
    for options_of in added:
        options |= {key: value for key, value in options_of.items() if key not in ("blocks", "framing")}
    options["framing"] = [way for way in FRAMINGS if way not in skip]
    options["blocks"] = tuple({cls: None for options_of in added for cls in options_of.get("blocks", ())})
    return _whole(options)


def _whole(options: dict[str, Any]) -> st.SearchStrategy[WholeStream]:
    blocks: Any = content_blocks(*options["blocks"], unknown=options["unknown"])
    return whole_streams(**options | {"blocks": blocks})
