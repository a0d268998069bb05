"""Our events, blocks and messages as instances of the official classes too, for `isinstance` and `match`.

Programs that were written for the official package ask `isinstance(event, anthropic.types.RawContentBlockDeltaEvent)`,
and frameworks ask for `anthropic.types.beta.BetaRawMessageStartEvent`. Without this, a wrapped client would make them
lose text without an error.

`isinstance(x, C)` asks the type of `x`, and then what `x.__class__` says, as it does of mocks and proxies. So from the
first `wrap` on, the `__class__` of our objects is a stand-in: a class that derives from the official classes with the
name of ours, plain and beta. `type(x)` stays our class, and so `isinstance(x, ours)` is as fast as before and true.
Calling a stand-in makes an object of ours, and attributes that it does not have are those of our class, so that
`attrs.evolve` and the like, which go by `__class__`, work on.

This is for all objects of the process and not only for those of wrapped clients, as an event of which stream does not
know where it will go. It costs nothing for programs that wrap no client: the property is added to the bases of
`WireObject` when it is first needed. `tests/anthropic/test_official_classes.py` compares what our objects do before and
after it.

Other ways were considered. `ABCMeta.register` has no effect on pydantic models. Subclasses of our classes for wrapped
streams alone would have to be made by all of the codec and the accumulator. Official objects in place of ours would
cost what the official client costs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import anthropic
import anthropic.lib.streaming
import anthropic.types
import anthropic.types.beta
import pydantic

from streamcore.types import WireObject

__all__ = ["official_classes_of", "pass_for_official"]

_MODULES = (anthropic.types, anthropic.types.beta, anthropic.lib.streaming)
_PREFIXES = ("", "Raw", "Parsed", "Beta", "BetaRaw", "ParsedBeta")
# Their name for one of our classes, where it is another.
_OTHER_NAMES = {
    "CitationsConfig": "BetaCitationConfig",
    "CitationsSearchResultLocation": "BetaCitationSearchResultLocation",
    "CompactionDelta": "BetaCompactionContentBlockDelta",
    "ToolAdditionBlock": "BetaResponseToolAdditionBlock",
    "ToolRemovalBlock": "BetaResponseToolRemovalBlock",
}


@functools.cache
def pass_for_official() -> None:
    """Let our objects pass for official ones, from now on and in the whole process."""
    # Between `WireObject` and its bases, as Python only allows bases with the same layout.
    names = {"__slots__": (), "__class__": property(_class_of), "__reduce_ex__": _reduce}
    WireObject.__bases__ = (type("PassingForOfficial", WireObject.__bases__, names),)


class _StandIns(dict[type, type]):
    """For each class of ours, the class that stands for it."""

    def __missing__(self, ours: type) -> type:
        made = self[ours] = _stand_in(ours)
        return made


_stand_ins = _StandIns()


def _class_of(value: WireObject) -> type:
    return _stand_ins[type(value)]


def _reduce(value: Any, protocol: int) -> tuple[Any, ...]:
    if type(value).__reduce__ is not object.__reduce__:
        return value.__reduce__()  # type: ignore[return-value]  # none of ours returns a string
    # What `object` has in its place makes something that pickle refuses if the `__class__` is not the type.
    return object.__new__, (type(value),), value.__getstate__()


def _stand_in(ours: type) -> type:
    """Return the class that stands for one of ours: our class itself if there is no official one."""
    bases = tuple(official_classes_of(ours))
    if not bases:
        return ours

    class StandIn(type(bases[0])):  # type: ignore[misc]  # the metaclass of pydantic's models
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return ours(*args, **kwargs)

        def __getattr__(cls, name: str) -> Any:
            return getattr(ours, name)

    names = {"__module__": ours.__module__, "__qualname__": ours.__qualname__, "__doc__": ours.__doc__}
    config = {"model_config": pydantic.ConfigDict(defer_build=True, protected_namespaces=())}
    made: type = StandIn(ours.__name__, bases, {**names, **config})
    return made


def official_classes_of(ours: type) -> Iterator[type]:
    """Yield the official classes that an object of this class of ours passes for, none of them a base of another."""
    found: dict[type, None] = {}
    for name in (ours.__name__, _OTHER_NAMES.get(ours.__name__, "")):
        plain = name.removeprefix("Parsed")
        for each in (name, *(prefix + plain for prefix in _PREFIXES)):
            for module in _MODULES:
                cls = getattr(module, each, None)
                if isinstance(cls, type) and issubclass(cls, pydantic.BaseModel):
                    found[cls] = None
    for cls in found:
        if not any(other is not cls and issubclass(other, cls) for other in found):
            yield cls
