"""Parsers of JSON that arrives in fragments. Each is asked for the value so far after every fragment.

Ours continues where it stopped. The others keep no state, so they get the whole text so far every time. Copying that
text is the least that any of them can cost.
"""

from __future__ import annotations

import jiter
from partial_json_parser import loads  # type: ignore[import-untyped]  # it has no types

from streamcore import PartialJSON


def streamcore(fragments: list[str]) -> object:
    partial = PartialJSON(trailing_strings=False)
    value: object = None
    for fragment in fragments:
        partial.feed(fragment)
        value = partial.value
    return value


def with_jiter(fragments: list[str]) -> object:
    """Parse all bytes so far again, as the official package does."""
    text = b""
    value: object = None
    for fragment in fragments:
        text += fragment.encode()
        value = jiter.from_json(text, partial_mode=True)
    return value


def with_partial_json_parser(fragments: list[str]) -> object:
    text = ""
    value: object = None
    for fragment in fragments:
        text += fragment
        value = loads(text)
    return value


def copy_text(fragments: list[str]) -> str:
    """Copy the text so far after every fragment."""
    text = "".join(fragments)
    copy = ""
    end = 0
    for fragment in fragments:
        end += len(fragment)
        copy = text[:end]
    return copy
