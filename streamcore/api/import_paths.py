"""Import paths of the `anthropic` package below an adapter: `streamcore.httpx.types.beta`, `.lib.streaming`, ...

Programs import from many modules of that package, and tests patch names in them. Here most of them are one line of a
table: such a module is made when it is imported, and looks up its names in the adapter or in `streamcore.types`. So no
class exists twice, and no name is written down again. A path that does not exist here, and a name in a module, fails
with the text of `elsewhere`.

The alternative, a file for each path and adapter, would be 40 files of star imports. For type checkers, there are stubs
for the paths that programs with types use (`types`, `types.beta`, `lib.streaming`).
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from streamcore import types
from streamcore.api import messages, options, raw_messages
from streamcore.api.elsewhere import missing_name
from streamcore.sse import ServerSentEvent, SSEDecoder
from streamcore.types import beta

__all__ = ["add_import_paths", "missing_attribute"]

# What programs import from private modules of that package, and from its `resources`.
_INNER_NAMES: dict[str, Any] = {
    **{name: getattr(messages, name) for name in messages.__all__},
    **{name: getattr(raw_messages, name) for name in raw_messages.__all__},
    **{name: getattr(options, name) for name in ("Body", "Headers", "Query")},
    "SSEDecoder": SSEDecoder,
    "ServerSentEvent": ServerSentEvent,
}
# What modules of `types` have besides the names of `streamcore.types`.
_TYPES: dict[str, Any] = {
    "Delta": types.MessageDelta,
    "Model": types.ModelParam,
    **{
        name: getattr(options, name)
        for name in (
            "MessageCreateParams",
            "MessageCreateParamsBase",
            "MessageCreateParamsNonStreaming",
            "MessageCreateParamsStreaming",
        )
    },
}
# With `__all__`, which type checkers do not see.
_ALL_TYPES: Any = types
_ALL_BETA: Any = beta
# The modules that give all names of the adapter. Each folder is a module too.
_PATH_NAMES = """
    _base_client _client _constants _exceptions _models _response _streaming _types _version
    lib lib.streaming lib.streaming._beta_messages lib.streaming._beta_types lib.streaming._messages
    lib.streaming._types
    resources resources.beta resources.beta.beta resources.beta.messages resources.beta.messages.messages
    resources.messages resources.messages.messages
    types types.beta
"""
_PATHS = frozenset(_PATH_NAMES.split())


def add_import_paths(adapter: str) -> None:
    """Make the import paths exist below the module `adapter`."""
    _finder.adapters.append(f"{adapter}.")
    if _finder not in sys.meta_path:
        # In front: the folder of a stub would pass for a package without a file.
        sys.meta_path.insert(0, _finder)
    for folder in ("lib", "resources", "types"):
        importlib.import_module(f"{adapter}.{folder}")


def missing_attribute(module: str, name: str) -> AttributeError:
    """Return the error for a name that a module does not have."""
    text = missing_name(module, name) or f"module {module!r} has no attribute {name!r}"
    return AttributeError(text, name=name)


class _Finder(MetaPathFinder, Loader):
    """Finds and makes the modules."""

    def __init__(self) -> None:
        self.adapters: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for adapter in self.adapters:
            if fullname.startswith(adapter):
                return self._spec(adapter, fullname)
        return None

    def _spec(self, adapter: str, fullname: str) -> ModuleSpec | None:
        inside = fullname.removeprefix(adapter)
        if _is_path(inside):
            return ModuleSpec(fullname, self, is_package=True)
        # `from module import name` looks for a module of that name before it fails. That it continues with its own text
        # after a ModuleNotFoundError is why this raises an ImportError.
        module, _, name = inside.rpartition(".")
        text = missing_name(f"{adapter}{module}".rstrip("."), name)
        if text is None and inside.partition(".")[0] in ("lib", "resources", "types"):
            text = f"{fullname!r} is not here, as streamcore only creates messages: the anthropic package has the rest"
        if text is not None:
            raise ImportError(text, name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name, "The names of the `anthropic` package's module, as far as they are here.")
        adapter = next(each for each in self.adapters if spec.name.startswith(each))
        inside = spec.name.removeprefix(adapter)
        look_up = _in_types(inside) if inside.partition(".")[0] == "types" else _in_adapter(adapter[:-1])

        def look_up_or_fail(name: str) -> Any:
            try:
                return look_up(name)
            except AttributeError:
                if _is_path(f"{inside}.{name}"):
                    return importlib.import_module(f"{spec.name}.{name}")
                raise missing_attribute(spec.name, name) from None

        # Python calls these for names that the module itself does not have.
        vars(module).update(__getattr__=look_up_or_fail, __dir__=lambda: look_up("__all__"))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module looks up its names when it is asked for them."""


_finder = _Finder()


def _in_adapter(adapter: str) -> Callable[[str], Any]:
    def look_up(name: str) -> Any:
        if name == "__all__":
            return sorted({*sys.modules[adapter].__all__, *_INNER_NAMES})
        if name in _INNER_NAMES:
            return _INNER_NAMES[name]
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return getattr(sys.modules[adapter], name)

    return look_up


def _in_types(inside: str) -> Callable[[str], Any]:
    """Return what looks up names in `types` or a module below it."""
    is_beta = inside.startswith("types.beta")

    def look_up(name: str) -> Any:
        if name == "__all__":
            return _ALL_BETA.__all__ if is_beta else sorted({*_ALL_TYPES.__all__, *_TYPES})
        if name in _TYPES:
            return _TYPES[name]
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(beta if is_beta else types, name)

    return look_up


def _is_path(inside: str) -> bool:
    """Return whether a path below an adapter exists here: one of the table, or a type's own: `types.text_block`."""
    if inside in _PATHS:
        return True
    folder, _, module = inside.rpartition(".")
    if folder not in ("types", "types.beta") or module != module.lower():
        return False
    return module.replace("_", "") in _modules_of_types(folder)


@functools.cache
def _modules_of_types(folder: str) -> frozenset[str]:
    names = _ALL_TYPES.__all__ if folder == "types" else _ALL_BETA.__all__
    return frozenset(name.lower() for name in [*names, *_TYPES])
