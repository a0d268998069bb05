"""A base for what is in the middle of a stream: it can be neither copied nor pickled.

Such an object holds on to the inside of others (the `write` of a buffer, say), which a copy would share with it: what
one of them is given would turn up in both. Python would not tell.
"""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

__all__ = ["Uncopied"]


class Uncopied:
    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} can be neither copied nor pickled; a snapshot can")
