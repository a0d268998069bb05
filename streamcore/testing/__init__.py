"""For tests of code that reads Messages streams, streamcore's own among them.

`streamcore.testing.strategies` has Hypothesis strategies for streams, whole and broken; `check_accumulator` tells
whether any function from bytes to a message is right; `EngineMachine` compares an engine, or another accumulator, with
a slow model of it, step by step. `assert_same_stream` compares two streams, whoever decoded them; the pytest plugin in
`plugin` has a fixture that plays captures.

Needs the extra `testing`. Beyond the core, what there is to import is imported when a name is used that needs it, not
before: the plugin, which is imported at each start of pytest, stands beside them.
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
