"""Restore the objects of wrapped official clients from copies and pickles: see `streamcore.anthropic`."""

from __future__ import annotations

import importlib
from typing import Any

from streamcore._extras import NotInstalledError

__all__ = ["as_lookalike"]


def as_lookalike(value: Any) -> Any:
    """Return an object that is an instance of the official class too, or `value` itself without that package.

    Pickles name this function, so it must keep its name and its argument.
    """
    # This room must not know that one. But the function must be here, where it is found without that package.
    try:
        official_classes = importlib.import_module("streamcore.anthropic.official_classes")
    except NotInstalledError:
        return value
    return official_classes.lookalike(value)
