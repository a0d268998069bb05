"""The types of the Messages API: content blocks, deltas, citations, usage, the message, the events, and request dicts.

All types of a response are frozen attrs classes that print, compare, pattern-match, copy and pickle like values;
`WireObject` has what they share. The names are those of `anthropic.types`.

Arrays are tuples here, where `anthropic.types` has lists: `message.content`, `citations`, the `snapshot` of a
`CitationEvent`. A snapshot never changes, so nothing can be appended to it; `[*message.content]` makes a list. Only
free JSON (the `input` of a tool, `extra`) consists of lists and dicts.

The types of the dicts in a request (`MessageParam`, `ToolParam`, ...) are in `params` and `tool_params`.

Each module lists its public names in `__all__`. The star imports below re-export exactly those, for Python as well as
for mypy and pyright, so that no name has to be repeated here.
"""
# ruff: noqa: F403

from typing import TYPE_CHECKING, Any

from streamcore.types import blocks, citations, deltas, derived, events, message, results, usage
from streamcore.types._base import Unknown as Unknown
from streamcore.types._base import WireObject as WireObject
from streamcore.types.blocks import *
from streamcore.types.citations import *
from streamcore.types.deltas import *
from streamcore.types.derived import *
from streamcore.types.events import *
from streamcore.types.message import *
from streamcore.types.results import *
from streamcore.types.usage import *

if TYPE_CHECKING:
    from streamcore.types.params import *
    from streamcore.types.tool_params import *
else:

    def __getattr__(name: str) -> Any:
        """Load the types of requests when the first one is used.

        They take 6 ms to import, and the decoders never need them. `__all__` lists their names, so it loads them too.
        """
        if name == "__all__" or name.endswith("Param"):
            from streamcore.types import params, tool_params

            if name == "__all__":
                modules = [blocks, citations, deltas, derived, events, message, results, usage, params, tool_params]
                return sorted(["Unknown", "WireObject", *(item for module in modules for item in module.__all__)])
            for module in (params, tool_params):
                if name in module.__all__:
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
