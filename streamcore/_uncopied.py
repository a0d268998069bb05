"""A base for what is in the middle of a stream: it can be neither copied nor pickled.

A copy would share a buffer or a connection with it, or the inside of one (its `write`, say): what one of the two is
given would turn up in both, or be missing in the other. Python would not tell.
"""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

__all__ = ["Uncopied"]


class Uncopied:
    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is in the middle of a stream and can be neither copied nor pickled")
