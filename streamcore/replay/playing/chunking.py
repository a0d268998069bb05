"""Cut the bytes of a body in another way: an event at a time, in chunks of one size, or of random sizes.

The time of a chunk is that of the last byte in it. No chunk spans a pause or the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Literal, TypeAlias

import attrs

from streamcore.errors import InvalidArgumentError
from streamcore.replay.capture import Chunk, Step
from streamcore.replay.faults.places import at_least
from streamcore.replay.faults.text_options import split_options, with_options
from streamcore.replay.formats.event_splitter import event_steps


@attrs.frozen
class RandomChunks:
    """Chunks of random sizes; the same seed gives the same sizes.

    Attributes:
        seed: The seed of the random numbers.
        largest: How many bytes the largest chunk may have.
    """

    seed: int = 0
    largest: int = attrs.field(default=64, validator=at_least(1, int))


Chunking: TypeAlias = Literal["recorded", "event"] | int | RandomChunks
"""As recorded, a chunk for each event, chunks of so many bytes, or chunks of random sizes."""

_NAMED: dict[str, Chunking] = {"recorded": "recorded", "event": "event"}


def rechunk(body: Iterable[Step], chunking: Chunking) -> Iterable[Step]:
    """Return the steps of `body`, cut in that way.

    Raises:
        InvalidArgumentError: `chunking` is invalid.
    """
    if chunking == "recorded":
        return body
    if chunking == "event":
        return event_steps(body)
    if isinstance(chunking, RandomChunks):
        return _resized(body, _random_sizes(chunking))
    if type(chunking) is int and chunking > 0:  # not a bool
        return _resized(body, repeat(chunking))
    raise InvalidArgumentError(
        f"chunking must be 'recorded', 'event', a number of bytes above 0 or RandomChunks, not {chunking!r}"
    )


def check_chunking(chunking: Chunking | str) -> Chunking:
    """Return a chunking that is given as a value or as text.

    Raises:
        InvalidArgumentError: It is invalid.
    """
    if isinstance(chunking, str):
        return parse_chunking(chunking)
    rechunk((), chunking)
    return chunking


def parse_chunking(text: str) -> Chunking:
    """Parse a chunking: `recorded`, `event`, `1000` (bytes), `random` or `random:seed=1,largest=100`.

    Raises:
        InvalidArgumentError: It is not one of these.
    """
    try:
        kind, options = split_options(text)
        if kind == "random":
            found: Chunking = with_options(RandomChunks, kind, options)
        else:
            found = _NAMED.get(text) or int(text)
        rechunk((), found)
    except ValueError:
        raise InvalidArgumentError(
            f"{text!r} is not a chunking; it must be recorded, event, a number of bytes, random or "
            "random:seed=1,largest=64"
        ) from None
    return found


def _random_sizes(chunks: RandomChunks) -> Iterator[int]:
    source = random.Random(chunks.seed)  # noqa: S311  # it makes tests, it keeps no secret
    while True:
        yield source.randint(1, chunks.largest)


def _resized(body: Iterable[Step], sizes: Iterator[int]) -> Iterator[Step]:
    held = bytearray()
    size = next(sizes)
    time = 0.0
    for step in body:
        if isinstance(step, Chunk):
            time = step.time
            held += step.data
            begin = 0
            while len(held) - begin >= size:
                yield Chunk(time, bytes(held[begin : begin + size]))
                begin += size
                size = next(sizes)
            del held[:begin]
        else:
            if held:
                yield Chunk(time, bytes(held))
                held.clear()
            yield step
    if held:
        yield Chunk(time, bytes(held))
