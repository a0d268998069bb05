"""Restore the objects of wrapped official clients from copies and pickles: see `streamcore.anthropic`."""

from __future__ import annotations

from typing import Any

from streamcore._extras import NotInstalledError

__all__ = ["as_lookalike"]


def as_lookalike(value: Any) -> Any:
    """Return an object that is an instance of the official class too, or `value` itself without that package.

    Pickles name this function, so it must keep its name and its argument.
    """
    try:
        from streamcore.anthropic.official_classes import lookalike
    except NotInstalledError:
        return value
    return lookalike(value)
