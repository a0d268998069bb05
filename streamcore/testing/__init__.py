"""For tests of code that reads Messages streams, streamcore's own among them.

`assert_same_stream` compares two of them, whoever decoded them; the pytest plugin in `plugin` has a fixture that plays
captures.

Needs the extra `testing`. What there is to import is imported when a name is used that needs it, not before: the
plugin, which is imported at each start of pytest, stands beside them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamcore.testing._streams import assert_same_stream

__all__ = ["assert_same_stream"]

_HOMES = {"assert_same_stream": "_streams"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
