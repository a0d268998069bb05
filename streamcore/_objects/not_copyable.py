"""A base class for objects that are in the middle of a stream and therefore refuse to be copied or pickled.

A copy would share a buffer or a connection with the original: data given to one of them would turn up in the other, or
be missing there, and nothing would report it.
"""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

__all__ = ["NotCopyable"]


class NotCopyable:
    """Refuse `copy.copy`, `copy.deepcopy` and `pickle`."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is in the middle of a stream and can be neither copied nor pickled")
