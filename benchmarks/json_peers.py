"""Values of JSON that grows by fragments: after every fragment the value so far.

Ours goes on from where it was; the others have no memory and are given all of the text so far, every time. Copying
that text is what any of them could cost at least, if the value were the text.
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
    """As the official package does it: bytes that grow, parsed anew."""
    text = b""
    value: object = None
    for fragment in fragments:
        text += fragment.encode()
        value = jiter.from_json(text, partial_mode=True)
    return value


def with_partial_json_parser(fragments: list[str]) -> object:
    """It completes the text, which `json` then parses."""
    text = ""
    value: object = None
    for fragment in fragments:
        text += fragment
        value = loads(text)
    return value


def copy_text(fragments: list[str]) -> str:
    """Copy the text so far, after every fragment."""
    text = "".join(fragments)
    copy = ""
    end = 0
    for fragment in fragments:
        end += len(fragment)
        copy = text[:end]
    return copy
