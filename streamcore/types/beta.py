"""The types under the names that `anthropic.types.beta` has for them: `BetaMessage` is `Message`.

There is one set of classes here, whether beta features are on or not. `beta.pyi` lists the names for type checkers.
"""

from __future__ import annotations

from typing import Any

from streamcore import types

# Names that are not "Beta" and ours.
_OTHER_NAMES = {
    "BetaCitationConfig": "CitationsConfig",
    "BetaCitationSearchResultLocation": "CitationsSearchResultLocation",
    "BetaCompactionContentBlockDelta": "CompactionDelta",
    "BetaRequestDocumentBlockParam": "DocumentBlockParam",
    "BetaResponseToolAdditionBlock": "ToolAdditionBlock",
    "BetaResponseToolRemovalBlock": "ToolRemovalBlock",
}


def __getattr__(name: str) -> Any:
    ours = _OTHER_NAMES.get(name, name.replace("Beta", "", 1))
    if ours != name and not name.startswith("_") and hasattr(types, ours):
        return getattr(types, ours)
    if name == "__all__":
        names: list[str] = vars(types)["__getattr__"](name)
        return sorted({*_OTHER_NAMES, *(beta for each in names for beta in _names_for(each))})
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def _names_for(ours: str) -> list[str]:
    is_parsed = ours.startswith("Parsed")
    return [f"Beta{ours}", *([f"ParsedBeta{ours.removeprefix('Parsed')}"] if is_parsed else [])]
