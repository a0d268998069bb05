"""What servers leave out or spell oddly, and what it is taken for: the tables that the plain path of the codec reads.

The rule: a value is taken for another only if it can mean nothing else. Everything that is not in these tables raises.
"""

from __future__ import annotations

import math
from typing import Any

from streamcore._objects.immutable import ImmutableList
from streamcore.types import blocks, citations, deltas, message, results
from streamcore.types.base import WireObject

__all__ = ["MISSING_FIELDS", "integer_of"]

_NOTHING_ADDED = ""
_NOT_SAID = ""
_NO_INPUT: dict[str, Any] = {}
_NO_RESULTS: list[Any] = ImmutableList()

MISSING_FIELDS: dict[type[WireObject], dict[str, Any]] = {
    # Text that was not sent
    blocks.TextBlock: {"text": _NOTHING_ADDED},
    blocks.ThinkingBlock: {"thinking": _NOTHING_ADDED, "signature": None},  # the signature may be absent, but not null
    deltas.TextDelta: {"text": _NOTHING_ADDED},
    deltas.ThinkingDelta: {"thinking": _NOTHING_ADDED},
    deltas.SignatureDelta: {"signature": None},  # an empty string would replace the signature
    deltas.InputJSONDelta: {"partial_json": _NOTHING_ADDED},
    results.AdvisorResultBlock: {"text": _NOTHING_ADDED},
    # Names and identifiers
    message.Message: {"id": _NOT_SAID, "model": _NOT_SAID},
    blocks.ToolUseBlock: {"id": _NOT_SAID, "name": _NOT_SAID, "input": _NO_INPUT},
    blocks.ServerToolUseBlock: {"id": _NOT_SAID, "name": _NOT_SAID, "input": _NO_INPUT},
    blocks.MCPToolUseBlock: {"id": _NOT_SAID, "name": _NOT_SAID, "input": _NO_INPUT},
    # Lists of results
    blocks.WebSearchToolResultBlock: {"content": _NO_RESULTS},
    blocks.MCPToolResultBlock: {"content": _NO_RESULTS},
    results.CodeExecutionResultBlock: {"content": _NO_RESULTS},
    results.EncryptedCodeExecutionResultBlock: {"content": _NO_RESULTS, "encrypted_stdout": None},
    results.BashCodeExecutionResultBlock: {"content": _NO_RESULTS},
    results.TextEditorCodeExecutionViewResultBlock: {"content": ""},
    # Single results
    blocks.WebFetchToolResultBlock: {"content": None},
    blocks.CodeExecutionToolResultBlock: {"content": None},
    blocks.BashCodeExecutionToolResultBlock: {"content": None},
    blocks.TextEditorCodeExecutionToolResultBlock: {"content": None},
    blocks.ToolSearchToolResultBlock: {"content": None},
    blocks.AdvisorToolResultBlock: {"content": None},
    results.WebFetchBlock: {"content": None},
    # Opaque values, which only the API can read
    results.WebSearchResultBlock: {"encrypted_content": None},
    results.AdvisorRedactedResultBlock: {"encrypted_content": None},
    citations.CitationsWebSearchResultLocation: {"encrypted_index": None},
}
"""The values that required fields get if they are absent or null, by class. Any other required field must be there.

A field here that is not required may be absent: only null is a deviation.
"""

_COUNTS = ("_tokens", "_requests", "_turns", "_uses")
_INDEXES = ("index",)

_MAX_DIGITS = 40  # more digits are not a count


def integer_of(key: str, value: Any) -> int | None:
    """Return the integer that an odd number in the field `key` means, or None if it is not clear.

    A count may be a float, which is rounded (half to even), or digits in a string. An index may be a float that is an
    integer.
    """
    is_count = key.endswith(_COUNTS)
    if type(value) is float and math.isfinite(value) and (is_count or (key.endswith(_INDEXES) and value.is_integer())):
        return round(value)
    if type(value) is str and is_count and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    return None
