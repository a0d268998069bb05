"""Tools to test code that reads Messages streams.

- `streamcore.testing.strategies`: Hypothesis strategies for streams, whole and broken;
- `check_accumulator`: tests any function that makes a message from the bytes of a stream;
- `EngineMachine`: compares an engine, or another accumulator, with a slow model, step by step;
- `assert_same_stream`: compares two streams, in any form;
- `plugin`: a pytest plugin with a fixture that plays captures.

Needs the extra `testing`. Each name is imported when it is first used, because pytest imports the plugin, and so this
package, at every start.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from streamcore._extras import requires_extra

if TYPE_CHECKING:
    from streamcore.testing._streams import assert_same_stream
    from streamcore.testing.check import ASPECTS, Disagreement, check_accumulator, find_disagreements
    from streamcore.testing.machine import EngineMachine, UnderTest

__all__ = [
    "ASPECTS",
    "Disagreement",
    "EngineMachine",
    "UnderTest",
    "assert_same_stream",
    "check_accumulator",
    "find_disagreements",
]

_HOMES = {
    "ASPECTS": "check",
    "Disagreement": "check",
    "EngineMachine": "machine",
    "UnderTest": "machine",
    "assert_same_stream": "_streams",
    "check_accumulator": "check",
    "find_disagreements": "check",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with requires_extra("testing"):
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
