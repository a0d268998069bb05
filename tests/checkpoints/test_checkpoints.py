"""Checkpoints of engines, decoders and accumulators: what follows is what the original would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from helpers import (
    any_chunks,
    message_bodies,
    same,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import (
    MessageAccumulator,
    MessageEngine,
    MessageEventDecoder,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
    StreamCoreError,
)
from streamcore.testing.strategies import broken_streams, mutations

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

AnyDecoder: TypeAlias = MessageEngine | MessageEventDecoder | RawMessageDecoder | SSEDecoder

NEVER: frozenset[int] = frozenset()
ALWAYS = range(10**9)


def everything(
    decoder: Any, chunks: Sequence[bytes], *, at: Container[int] = NEVER, looks: bool = False, **classes: Any
) -> list[Any]:
    """All that comes out of a decoder. It is replaced by what its checkpoint restores at these moments.

    A moment is after each chunk, each event, and the end. With `looks`, all properties are read after each event.
    """
    seen: list[Any] = []
    moment = 0

    def maybe_restored(decoder: Any) -> Any:
        nonlocal moment
        moment += 1
        if moment not in at:
            return decoder
        data = decoder.checkpoint()
        restored = type(decoder).restore(data, **classes)
        assert restored.checkpoint() == data
        return restored

    def read() -> None:
        nonlocal decoder
        while (event := next(decoder.events(), None)) is not None:
            decoder = maybe_restored(decoder)
            seen.append((event, decoder.received, decoder.last_event_id))
            if looks:
                seen.append(all_properties(decoder))
                decoder = maybe_restored(decoder)

    try:
        for chunk in chunks:
            decoder.receive_data(chunk)
            decoder = maybe_restored(decoder)
            read()
            decoder = maybe_restored(decoder)
        decoder.receive_eof()
        decoder = maybe_restored(decoder)
        read()
        decoder = maybe_restored(decoder)
    except ProtocolError as error:
        seen.append(fault(error))
    seen.append(all_properties(decoder))
    if isinstance(decoder, MessageEngine):
        try:
            seen.append(decoder.final_message)
        except ProtocolError as error:
            seen.append(fault(error))
    return seen


def all_properties(decoder: Any) -> list[Any]:
    names = ["event_offset", "received", "pending", "last_event_id", "retry", "violations", "snapshot", "complete"]
    seen: list[Any] = []
    for name in names:
        try:
            seen.append(getattr(decoder, name, None))
        except StreamCoreError as error:
            seen.append(str(error))
    if isinstance(decoder, MessageEngine) and decoder.snapshot is not None:
        blocks = [decoder.block_in_progress(index) for index in range(len(decoder.snapshot.content))]
        seen += [None if block is None else (block.length, block.is_closed, block.parsed) for block in blocks]
        seen += [getattr(block, "partial_input", None) for block in decoder.snapshot.content]
        seen += [shown(getattr(block, "parse_error", None)) for block in decoder.snapshot.content]
    return seen


def shown(error: Any) -> Any:
    return None if error is None else fault(error)


def fault(error: ProtocolError) -> tuple[Any, ...]:
    place = error.offset, error.event_number, error.index
    return type(error), str(error), error.message, *place, error.snapshot, error.received


ENGINES: list[Callable[[], MessageEngine]] = [
    MessageEngine,
    lambda: MessageEngine(strict=True),
    lambda: MessageEngine(multiple_messages=True, invalid_json="keep", trailing_strings=True),
]
DECODERS: list[Callable[[], AnyDecoder]] = [*ENGINES, MessageEventDecoder, RawMessageDecoder, SSEDecoder]

MOMENTS = st.just(ALWAYS) | st.frozensets(st.integers(1, 40))
BROKEN = broken_streams().map(lambda stream: stream.data)
BODIES = message_bodies() | BROKEN | message_bodies().flatmap(mutations)
CUT_BODIES = BODIES.flatmap(any_chunks)


@given(CUT_BODIES, st.sampled_from(DECODERS), MOMENTS, st.booleans())
def test_a_decoder_goes_on_from_any_checkpoints_as_if_there_were_none(
    chunks: list[bytes], make: Callable[[], AnyDecoder], at: Container[int], looks: bool
) -> None:
    whole = everything(make(), chunks, looks=looks)
    assert same(everything(make(), chunks, at=at, looks=looks), whole)
