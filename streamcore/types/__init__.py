"""The types of the Messages API: content blocks, deltas, citations, usage, the message, the events, and request dicts.

All types of a response are frozen attrs classes that print, compare, pattern-match, copy and pickle like values;
`WireObject` has what they share. The names are those of `anthropic.types`.

Arrays (`message.content`, `citations`, ...) are lists that cannot be changed, as snapshots share them: methods that
would change one raise `TypeError`. `[*message.content]` makes an ordinary list.

The types of the dicts in a request (`MessageParam`, `ToolParam`, ...) are in `params` and `tool_params`.

What all types can do is in `base`: their wire form. The methods with names of pydantic are in `_model`, and load
`_dumping`, `_reading` and `_pydantic` (its hooks) when they are first called. `structuring` makes objects of JSON.

Everything that these modules define without a leading underscore is public, so no list repeats the names. Type checkers
see star imports, which re-export exactly that: what a module imports is private to it.
"""
# ruff: noqa: F403

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from streamcore.types import blocks, citations, context, deltas, derived, events, message, results, usage
from streamcore.types.base import Unknown as Unknown
from streamcore.types.base import WireObject as WireObject

if TYPE_CHECKING:
    from streamcore.types import beta as beta
    from streamcore.types.blocks import *
    from streamcore.types.citations import *
    from streamcore.types.context import *
    from streamcore.types.deltas import *
    from streamcore.types.derived import *
    from streamcore.types.events import *
    from streamcore.types.message import *
    from streamcore.types.params import *
    from streamcore.types.results import *
    from streamcore.types.tool_params import *
    from streamcore.types.usage import *
else:

    def _public_names(module: ModuleType) -> dict[str, Any]:
        """Return the classes and the type aliases that a module defines, or those in its `__all__` if it has one."""
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and (name in module.__annotations__ or (isinstance(value, type) and value.__module__ == module.__name__))
        ]
        return {name: getattr(module, name) for name in names}

    _RESPONSES: dict[str, Any] = {}
    for _module in (blocks, citations, context, deltas, derived, events, message, results, usage):
        _RESPONSES |= _public_names(_module)
    globals().update(_RESPONSES)

    def __getattr__(name: str) -> Any:
        """Load the types of requests when the first one is used.

        They take 6 ms to import, and the decoders never need them. `__all__` has their names, so it loads them too.
        """
        if name == "__all__" or name.endswith("Param"):
            from streamcore.types import params, tool_params

            requests = _public_names(params) | _public_names(tool_params)
            if name == "__all__":
                return sorted({"Unknown", "WireObject", *_RESPONSES, *requests})
            if name in requests:
                return requests[name]
        if name == "beta":
            return importlib.import_module("streamcore.types.beta")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
