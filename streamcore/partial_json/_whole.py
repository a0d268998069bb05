"""The shortcut for a text that is whole when it is first read: one decode by msgspec instead of a scan.

Measured: 160 µs instead of 890 for 11 KB of a tool's input. Most inputs are read once, at their end, and go this path.

msgspec accepts nothing that the scanner refuses, apart from the limits, and makes the same values. The opposite is not
true: msgspec refuses `NaN`, infinities (also `1e400`) and, depending on the caller's stack, deep nesting. So a refusal
means nothing, and the scanner has to decide. Both must give the same value: the test compares the two
(`test_outcome_depends_on_the_text_alone`).
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from streamcore._objects.immutable import immutable_in_place
from streamcore.partial_json._scanner import ABSENT
from streamcore.partial_json._tokens import MAX_DIGITS

__all__ = ["decode_whole"]

# Deeper texts are left to the scanner, which counts as it goes: `_is_shallow` makes one pass for each level.
_SHALLOW: Final = 32
_remove_strings = re.compile(rb'"[^"]*+"').sub
_NOT_STRUCTURE: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_BRACES_TO_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")


def decode_whole(text: str, max_depth: int) -> Any:
    """Return the value of a text, or `ABSENT` if the text is not whole or only the scanner can tell.

    The text must not be empty.
    """
    if text[-1] not in "]} \t\n\r":
        return ABSENT  # cut off, most likely; and more text may change a number
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ABSENT
    if not _is_shallow(text, max_depth) or _may_have_long_number(text):
        return ABSENT
    return immutable_in_place(value)


def _may_have_long_number(text: str) -> bool:
    """Tell whether a number may be over the limit.

    A longer run of digits contains a whole aligned window of half the limit, so only those windows are tested.
    """
    half = MAX_DIGITS // 2
    return len(text) > MAX_DIGITS and any(
        text[start : start + half].isdecimal() for start in range(0, len(text) - half, half)
    )


def _is_shallow(text: str, max_depth: int) -> bool:
    """Tell whether no value of a valid text lies too deep; False if it would take too long to find out.

    The decoded value cannot answer this: it has only the last value of a repeated key.
    """
    if text.count("[") + text.count("{") <= max_depth:
        return True  # even if each of them, also those in strings, opened a container
    data = text.encode()
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quoted = data.translate(None, _NOT_STRUCTURE)
    skeleton = quoted.replace(b'""', b"")
    if b'"' in skeleton:
        # Some string has a bracket in it. Other strings have left only their two quotes.
        skeleton = _remove_strings(b"", quoted)
    skeleton = skeleton.translate(_BRACES_TO_BRACKETS)
    for _ in range(min(_SHALLOW, max_depth)):
        skeleton = skeleton.replace(b"[]", b"")  # the innermost level
    return not skeleton
