"""Bytes of a Messages stream to typed events and an always-current message: framing, codec and accumulator as one.

In: bytes, cut anywhere. Out: typed events, one by one, and after each the message as it is then. All layers below are
composed here and nowhere else; what they raise leaves with its place in the stream and the message so far.

Costs: a few times what decoding the JSON costs, and linear in the bytes. Knows nothing of sockets, clients or clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import attrs
import msgspec

from streamcore._decoder import MessagesDecoder
from streamcore.accumulator import COMPACT_AFTER, MessageAccumulator
from streamcore.block_builder import BlockBuilder
from streamcore.codec import (
    CHUNK_ENDS,
    PAYLOAD,
    RECURRING_DEPTH,
    decode_event,
    delta_shape,
    encode_string,
    recurs,
)
from streamcore.errors import ProtocolError
from streamcore.framing import CR, EVENT
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import ContentBlockDeltaEvent, Message, MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.typed import AnswerTypes, OnInvalid, Values, Views

__all__ = ["MessageEngine"]

_T = TypeVar("_T")


class MessageEngine(MessagesDecoder[MessageStreamEvent], Generic[OutputT]):
    """Decodes a Messages stream into typed events and keeps the message up to date.

    ```python
    engine = MessageEngine()
    for chunk in chunks:
        engine.receive_data(chunk)
        for event in engine.events():
            print(event, engine.snapshot)
    engine.receive_eof()
    for event in engine.events():
        print(event, engine.snapshot)
    message = engine.final_message
    ```

    Only `ProtocolError` and its children come out of `events()`; any other exception is a bug. After one the engine
    takes no more data; `snapshot` and `violations` stay readable. It can be neither copied nor pickled; events and
    snapshots can be.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string that is still open counts, in the input of a tool, as far as it has come.
            Off, as in the `anthropic` package, a value appears when it is complete.
        multiple_messages: Whether the stream may hold several messages one after another, as a capture may. They
            count as one stream for limits and violations; `snapshot` and `final_message` are those of the latest.
        output_format: The class that the text of the answer is JSON of, to be had as `parsed_output` of its blocks.
        tool_types: Classes of the inputs of tools, by the tools' names, to be had as `parsed_input`; or a list of
            classes and functions, as for `tools` of a request.
        on_invalid: What happens when something is not of its class: `"raise"`, or `"keep"`: the block has the error
            as its `parse_error`.
    """

    __slots__ = ("_accumulator", "_add", "_known_size", "_parser", "_shape", "_views")

    def __init__(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        multiple_messages: bool = False,
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: Mapping[str, Any] | Iterable[Any] | None = None,
        on_invalid: OnInvalid = "raise",
    ) -> None:
        super().__init__(decode_event, strict=strict, limits=limits)
        self._views: Views | None = None
        self._parser: AnswerTypes | None = None
        if output_format is not None or tool_types:
            # Who has no types does not load what deals with them.
            from streamcore.typed import AnswerTypes

            self._parser = AnswerTypes(output_format=output_format, tools=tool_types, on_invalid=on_invalid)
        self._accumulator = MessageAccumulator(
            limits=limits,
            trailing_strings=trailing_strings,
            multiple_messages=multiple_messages,
            log=self._log,
            parser=self._parser,
        )
        # The size of chunks of which one look-up may tell what they are: within all limits but that of the stream.
        self._known_size = min(_MAX_RECURRING_SIZE, self._max_size) if limits.max_depth >= RECURRING_DEPTH else 0
        self._shape = _NO_SHAPE
        self._add: Callable[[str], object] = _add_nothing

    @property
    def snapshot(self) -> Message[OutputT] | None:
        """The message exactly up to the latest event delivered, `None` before `message_start`. It never changes."""
        return self._accumulator.snapshot

    @property
    def complete(self) -> bool:
        """Whether `message_stop` has come."""
        return self._accumulator.complete

    @property
    def final_message(self) -> Message[OutputT]:
        """The complete message.

        Raises:
            IncompleteStreamError: `message_stop` has not come.
            ProtocolError: The error that the stream failed with before that.
        """
        if self._error is not None and not self.complete:
            raise self._error.with_traceback(None)
        return self._accumulator.final_message

    def builder(self, index: int) -> BlockBuilder | None:
        """The block in the making with this index, `None` if it was never started."""
        return self._accumulator.builder(index)

    @property
    def accumulator(self) -> MessageAccumulator:
        """What the events are accumulated in, to look at; it is the engine that applies them."""
        return self._accumulator

    def deferred_message(self) -> Callable[[], Message[OutputT]]:
        """`final_message`, to be built when it is called for. To be taken when the message is complete."""
        return self._accumulator.deferred_message()

    @overload
    def values(self, path: str, type: type[_T], *, block: int | None = None, tool: str | None = None) -> Values[_T]: ...
    @overload
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values: ...
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values:  # noqa: A002  # the field's word
        """The values at a path of a tool's input or of structured output, each from the event on that completes it.

        Iterating gives what is complete up to the event just delivered and has not been given yet. Asked for again with
        the same arguments it is the same view, which goes on where it was left; a new one begins at the beginning.

        Args:
            path: `"edits.*"` is each item of `edits`, `"summary"` that member, `"summary~"` its text as it grows.
                `streamcore.typed.paths` describes all there is.
            type: The class of a value. By default what the types of the answer say, or JSON as it is.
            block: The index of the block to look into.
            tool: The name of the tool whose input to look into; of one that has no class, the values are JSON as it
                is. Without either it is all blocks whose type has the path, or all that are JSON if there are no types.

        Raises:
            PathError: It is no path, or nothing of the answer's types can have it.
            UnsupportedTypeError: JSON cannot be structured as the type.
            InvalidOutputError: By iterating: a value is not of the type. One can go on with those after it.
        """
        return self._typed_views().values(path, type, block=block, tool=tool)

    @overload
    def partial(self, type: type[_T], *, block: int | None = None, tool: str | None = None) -> _T: ...
    @overload
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any: ...
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any:  # noqa: A002  # the field's word
        """What has come of a value of a class, up to the event just delivered: something that looks like an instance,
        with `MISSING` in place of all that has not come. It does not change.

        To a type checker it is an instance, so that it knows the attributes; each may be `MISSING`, which is false.

        Args:
            type: The class: the `output_format`, that of a tool, or any other.
            block: The index of the block to look into.
            tool: The name of the tool whose input to look into. Without either it is the latest block that is of the
                type, or the latest of all if there is none.

        Raises:
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        return self._typed_views().partial(type, block=block, tool=tool)

    def _typed_views(self) -> Views:
        if self._views is None:
            from streamcore.typed import Views

            self._views = Views(self._accumulator, self._parser)
        return self._views

    def events(self) -> Iterator[MessageStreamEvent]:
        """The events that the bytes so far allow, one by one; `snapshot` is in step with the one just delivered.

        Raises:
            DecodeError: A payload is not a valid event, a tool's input is complete and not JSON, or the body is no
                event stream.
            EventOrderError: An event came where it may not.
            InvalidOutputError: A block is complete and not of the class that was asked for.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not come.
        """
        failure = self._error
        if failure is not None:
            raise failure.with_traceback(None)
        payload = None
        event: MessageStreamEvent | None
        try:
            if not self._start_checked:
                self._check_start()
            while True:
                # The hot path. Nearly all of a stream is deltas that add text to the block that the event before was
                # about, and live streams come as one event a chunk. It is written out, as each call would cost a tenth
                # of what it takes. Whatever is not plainly such a delta is left to the plain path below.
                shape = self._shape
                add = self._add
                while self._simple:
                    chunk = self._chunk
                    if chunk is None or chunk[shape.head] != shape.prefix:
                        break
                    try:
                        delta_event = shape.decode(chunk[PAYLOAD])
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        break
                    text = delta_event.delta._added
                    size = len(chunk)
                    start = self._end
                    end = start + size
                    if (
                        chunk[shape.quote + len(encode_string(text)) :] not in CHUNK_ENDS
                        or size > self._max_size
                        or end > self._max_stream_size
                    ):
                        break
                    later = self._later
                    self._chunk = later.popleft() if later else None
                    self._carried_offset = start
                    self._end = end
                    self._event_number = number = self._event_number + 1
                    add(text)
                    if not number & _COMPACT_MASK:
                        self._accumulator.compact()
                    yield delta_event
                    if self._chunk is None and self._open:
                        self._later = None
                        return
                    if add is not self._add:  # another iterator went on meanwhile
                        break
                # The plain path, which one look-up shortens for events that recur.
                failure = self._error
                if failure is not None:  # another iterator has met it meanwhile
                    raise failure.with_traceback(None)
                if self._lines:
                    frame = self._read_lines()
                    if frame is None:
                        continue
                    name, payload = frame
                    if name == _DELTA and (event := self._delta_at_hand(payload)) is not None:
                        payload = None
                        yield event
                        continue
                    event = self._event_of(name, payload)
                else:
                    chunk = self._pop()
                    if chunk is None:
                        break
                    known = _RECURRING.get(chunk) if self._simple and len(chunk) <= self._known_size else None
                    if known is not None and self._count(chunk):
                        payload, event = known
                    elif self._simple and (frame := self._whole_frame(chunk)) is not None:
                        name, payload = frame
                        event = self._event_of(name, payload)
                        # Not if the name is another than the type: that is to be recorded each time.
                        if event is not None and name == event.type and len(chunk) <= self._known_size:
                            _remember(chunk, payload, event)
                    else:
                        if not self._simple or not self._skip_comments(chunk):
                            self._take_apart(chunk)
                        continue
                if event is not None:
                    self._apply(event)
                if self._log.length > self._located:
                    self._locate(self.event_offset)
                if event is not None:
                    self._event_number += 1
                    yield event
                payload = None
            if self._eof:
                self._finish(self._accumulator.end)
        except ProtocolError as error:
            self._fail(error, payload)
            raise

    def _delta_at_hand(self, payload: bytes) -> ContentBlockDeltaEvent | None:
        """What the hot path does, for a delta at hand as lines: of a stream with CRLF, or in very small pieces.
        It takes a third of what the plain path needs.
        """
        event: Any = self._shape.event_of(payload)
        if event is None:
            return None
        self._event_number += 1
        self._add(event.delta._added)
        if not self._event_number & _COMPACT_MASK:
            self._accumulator.compact()
        found: ContentBlockDeltaEvent = event
        return found

    def _take_apart(self, chunk: bytes) -> None:
        """Make chunks of one event each of a chunk that is something else: what is the same for any chunking can be had
        in the one that is fastest. What cannot be made such is made lines of.
        """
        if CR in chunk:
            self._split(chunk)
            return
        if self._keep(chunk):
            return
        whole = self._take_kept(chunk)
        if _BETWEEN in whole:
            first, *pieces, last = whole.split(_BETWEEN)
            self._put_back([first + b"\n\n", *[EVENT + piece + b"\n\n" for piece in pieces], EVENT + last])
        elif whole is not chunk:
            self._put_back([whole])
        else:
            self._split(chunk)

    def _apply(self, event: MessageStreamEvent) -> None:
        accumulator = self._accumulator
        accumulator.take(event)
        if event.type == "error":
            self._error_event = event
        hot = accumulator.hot
        if hot is None:
            self._shape = _NO_SHAPE
            self._add = _add_nothing
        elif hot.add is not self._add:
            self._shape = _NO_SHAPE if hot.delta_type is None else delta_shape(hot.index, hot.delta_type)
            self._add = hot.add

    def _snapshot(self) -> Message | None:
        return self._accumulator.snapshot


def _add_nothing(text: str) -> None:
    raise AssertionError("nothing has the shape of no delta")


# NUL is in no payload: nothing begins like this.
_NO_SHAPE = attrs.evolve(delta_shape(0, "text_delta"), prefix=b"\0")

_DELTA = ContentBlockDeltaEvent.type
_BETWEEN = b"\n\n" + EVENT

# Chunks that are one event, whole, of those that recur, with their payload and the event. A look-up takes 0.1 µs where
# splitting, checking and decoding take 0.8. Bounded, so that no stream can fill memory.
_RECURRING: dict[bytes, tuple[bytes, MessageStreamEvent]] = {}
_MAX_RECURRING = 1024
_MAX_RECURRING_SIZE = 192


def _remember(chunk: bytes, payload: bytes, event: MessageStreamEvent) -> None:
    if len(_RECURRING) < _MAX_RECURRING and recurs(payload):
        _RECURRING[chunk] = payload, event


_COMPACT_MASK = COMPACT_AFTER - 1
