"""The tokens of JSON, as regular expressions.

All repetitions are possessive (`*+`): they never backtrack, so a match that fails costs only what it has read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import msgspec

__all__ = [
    "BLANKS",
    "DIGITS",
    "LITERALS",
    "MAX_DIGITS",
    "find_long_digits",
    "match_blanks",
    "match_cut_escape",
    "match_number",
    "match_part_with_halves",
    "match_string_part",
    "to_integer",
    "unescape",
]

# Python needs quadratic time to convert an integer, and the scanner reads a number that was cut again from its start.
# The limit bounds both. jiter has the same limit for integers, and so has Python by default.
MAX_DIGITS: Final = 4300

_Match: TypeAlias = Callable[[str, int], re.Match[str]]
"""A pattern that matches at any position, if only an empty string."""

_HEX = "[0-9a-fA-F]"
_PLAIN = r'[^"\\\x00-\x1f\ud800-\udfff]'
_PLAIN_OR_HALF = r'[^"\\\x00-\x1f]'
# An escaped surrogate is valid only as half of an escaped pair, so the pair is one escape.
_ESCAPE = (
    rf'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}}'
    rf"|[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}))"
)
match_string_part = cast("_Match", re.compile(rf"{_PLAIN}*+(?:{_ESCAPE}{_PLAIN}*+)*+").match)
# Where halves of surrogate pairs that are not escaped are kept
match_part_with_halves = cast("_Match", re.compile(rf"{_PLAIN_OR_HALF}*+(?:{_ESCAPE}{_PLAIN_OR_HALF}*+)*+").match)
# The longest start of an escape, up to a whole one: what comes next may still complete it.
match_cut_escape = re.compile(
    rf"\\(?:u(?:[0-9a-ce-fA-CE-F]{_HEX}{{0,3}}|[dD](?:[0-7]{_HEX}{{0,2}}"
    rf"|[89abAB](?:{_HEX}(?:{_HEX}(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}{{0,2}})?)?)?)?)?)?)?)?)?"
).match
_decode_string = msgspec.json.Decoder(str).decode

BLANKS: Final = " \t\n\r"
match_blanks = cast("_Match", re.compile(r"[ \t\n\r]*+").match)

# The longest start of a number. It is whole if it ends in a digit, and an integer if neither group matched.
match_number = cast(
    "_Match", re.compile(r"-?(?:0|[1-9][0-9]*+)?((?<=[0-9])\.[0-9]*+)?((?<=[0-9])[eE][+-]?[0-9]*+)?").match
)
find_long_digits = re.compile(f"[0-9]{{{MAX_DIGITS + 1}}}").search
DIGITS: Final = frozenset("0123456789")

LITERALS: Final[dict[str, tuple[str, Any]]] = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
    "N": ("NaN", float("nan")),
    "I": ("Infinity", float("inf")),
    "-": ("-Infinity", float("-inf")),
}


def unescape(string: str) -> str:
    """Return the text that a valid JSON string spells."""
    try:
        return _decode_string(string)
    except UnicodeEncodeError:  # half of a surrogate pair is in it
        text: str = json.loads(string)
        return text


def to_integer(token: str) -> int:
    """Convert at most `MAX_DIGITS` digits, whatever limit this process has set for `int()`."""
    try:
        return int(token)
    except ValueError:
        # `sys.set_int_max_str_digits` was called with less than the default; 640 is the lowest that it accepts.
        value = 0
        for part in re.findall("[0-9]{1,640}", token):
            value = value * 10 ** len(part) + int(part)
        return -value if token[0] == "-" else value
