"""Our events, blocks and messages as instances of the official classes too, for `isinstance` and `match`.

Programs that were written for the official package ask `isinstance(event, anthropic.types.RawContentBlockDeltaEvent)`,
and frameworks ask for `anthropic.types.beta.BetaRawMessageStartEvent`. Without this, a wrapped client would make them
lose text without an error.

`isinstance(x, C)` asks the type of `x`, and then what `x.__class__` says, as it does of mocks and proxies. So from the
first `wrap` on, the `__class__` of our objects is a stand-in: a class that derives from the official classes with the
name of ours, plain and beta. `type(x)` stays our class, and so `isinstance(x, ours)` is as fast as before and true.
Calling a stand-in makes an object of ours, and attributes that it does not have are those of our class, so that
`attrs.evolve` and the like, which go by `__class__`, work on.

This changes all our objects in the process, and not only those of wrapped clients. It costs nothing for programs that
wrap no client: the property is added to the bases of `WireObject` when it is first needed.
`tests/anthropic/test_official_classes.py` compares what our objects do before and after it.

Other ways were considered. `ABCMeta.register` has no effect on pydantic models. Subclasses of our classes for wrapped
streams alone would have to be made by all of the codec and the accumulator. Official objects in place of ours would
cost what the official client costs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import anthropic.lib.streaming
import anthropic.types
import anthropic.types.beta
import pydantic

from streamcore.codec import converter
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
    # cattrs goes by `__class__`.
    converter.register_unstructure_hook_func(lambda cls: isinstance(cls, _StandIn), WireObject.to_dict)


class _StandIns(dict[type, type]):
    """For each class of ours, the class that stands for it."""

    def __missing__(self, ours: type) -> type:
        made = self[ours] = _stand_in(ours)
        return made


_stand_ins = _StandIns()


def _class_of(value: WireObject) -> type:
    return _stand_ins[type(value)]


def _reduce(value: Any, protocol: int) -> tuple[Any, ...]:
    own: Any = type(value).__reduce__
    if own is not object.__reduce__:
        reduced: tuple[Any, ...] = own(value)
        return reduced
    # What `object` has in its place makes something that pickle refuses if the `__class__` is not the type.
    return object.__new__, (type(value),), value.__getstate__()


class _StandIn(type(pydantic.BaseModel)):  # type: ignore[misc]  # its metaclass, which has no public name
    """The class of stand-ins."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        make: Callable[..., Any] = _ours[cls]
        return make(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if cls not in _ours:  # while it is being made
            raise AttributeError(name)
        return getattr(_ours[cls], name)


_ours: dict[type, type] = {}


def _stand_in(ours: type) -> type:
    """Return the class that stands for one of ours: or our class itself, if the package has none."""
    bases = tuple(official_classes_of(ours))
    if not bases:
        return ours
    names = {
        "__module__": ours.__module__,
        "__qualname__": ours.__qualname__,
        "__doc__": ours.__doc__,
        "model_config": pydantic.ConfigDict(defer_build=True),  # it never validates anything
    }
    made: type = _StandIn(ours.__name__, bases, names)  # pyright: ignore[reportCallIssue]  # it makes a class
    _ours[made] = ours
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
