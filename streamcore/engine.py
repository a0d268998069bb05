"""Bytes of a Messages stream to typed events and an always-current message: framing, codec and accumulator as one.

In: bytes, cut anywhere. Out: typed events, one by one, and after each the message as it is then. All layers below are
composed here and nowhere else; what they raise leaves with its place in the stream and the message so far.

Costs: a few times what decoding the JSON costs, and linear in the bytes. Knows nothing of sockets, clients or clocks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import attrs
import msgspec

from streamcore._decoder import Decode, EventT, MessagesDecoder
from streamcore.accumulator import MessageAccumulator
from streamcore.block_builder import BlockBuilder
from streamcore.codec import DeltaShape, decode_event, decode_raw_event, delta_shape
from streamcore.errors import IncompleteStreamError, ProtocolError
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.typed import AnswerTypes, OnInvalid, Values, Views

__all__ = ["MessageEngine", "MessageEventDecoder", "RawMessageDecoder"]

_T = TypeVar("_T")


class _EventDecoder(MessagesDecoder[EventT]):
    """Events and nothing else: nothing is accumulated, and their order is not checked."""

    __slots__ = ("_complete",)

    def __init__(self, decode: Decode[EventT], *, strict: bool, limits: Limits) -> None:
        super().__init__(decode, strict=strict, limits=limits)
        self._complete = False

    def events(self) -> Iterator[EventT]:
        """The events that the bytes so far allow, one by one.

        Raises:
            DecodeError: A payload is not a valid event, or the body is no event stream.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not come.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        try:
            if not self._start_checked:
                self._check_start()
            for name, data in self.frames():
                event = self._plain_event(name, data)
                if event is not None:
                    self._event_number += 1
                    yield event
            if self._eof:
                self._finish(self._check_complete)
        except ProtocolError as error:
            self._fail(error)
            raise

    def _apply(self, event: EventT) -> None:
        if event.type == "message_stop":
            self._complete = True

    def _check_complete(self) -> None:
        if not self._complete:
            raise IncompleteStreamError("the stream ended before message_stop")


class RawMessageDecoder(_EventDecoder[RawMessageStreamEvent]):
    """Decodes a Messages stream into events whose content blocks and deltas are plain dicts. Nothing is accumulated,
    and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_raw_event, strict=strict, limits=limits)


class MessageEventDecoder(_EventDecoder[MessageStreamEvent]):
    """Decodes a Messages stream into the typed events that `MessageEngine` gives, without the message: nothing is
    accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_event, strict=strict, limits=limits)


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
    takes no more data; `snapshot` and `violations` stay readable.

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

    __slots__ = ("_accumulator", "_parser", "_shortcut", "_views")

    def __init__(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        multiple_messages: bool = False,
        output_format: type[OutputT] | None = None,
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
        self._shortcut = _NO_SHORTCUT

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

    def deferred_message(self) -> Callable[[], Message[OutputT]]:
        """`final_message`, to be built when it is called for. To be taken when the message is complete."""
        return self._accumulator.deferred_message()

    @overload
    def values(self, path: str, type: type[_T], *, block: int | None = None, tool: str | None = None) -> Values[_T]: ...
    @overload
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values: ...
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values:  # noqa: A002
        """The values at a path of a tool's input or of structured output, each from the event on that completes it.

        Iterating gives what is complete up to the event just delivered and has not been given yet. Asked for again with
        the same arguments it is the same view, which goes on where it was left; a new one begins at the beginning.

        Args:
            path: `"edits.*"` is each item of `edits`, `"summary"` that member, `"summary~"` its text as it grows.
                `streamcore.typed.paths` describes all there is.
            type: The class of a value. By default what the types of the answer say, or JSON as it is.
            block: The index of the block to look into.
            tool: The name of the tool whose input to look into. Without either it is all blocks whose type has the
                path, or all that are JSON if there are no types.

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
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any:  # noqa: A002
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
        if self._error is not None:
            raise self._error.with_traceback(None)
        accumulator = self._accumulator
        chunks = self._chunks
        hot, in_chunk, in_frame, text_of, add = self._shortcut
        event: MessageStreamEvent | None
        try:
            if not self._start_checked:
                self._check_start()
            # The hot path of live streams: the chunk is one event, whole, and that is more text for the block that the
            # latest event was about. Written out, without a call of our own, it takes a seventh less time.
            while self._simple and len(chunks) == 1:
                if accumulator.hot is not hot:
                    self._shortcut = hot, in_chunk, in_frame, text_of, add = _shortcut_to(accumulator.hot)
                chunk = chunks[0]
                start = self._end
                end = start + len(chunk)
                if (
                    chunk.startswith(in_chunk.prefix)
                    and in_chunk.rest(chunk, in_chunk.start)
                    and len(chunk) <= self._max_size
                    and end <= self._max_stream_size
                ):
                    try:
                        event = in_chunk.decode(chunk[in_chunk.payload])
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        break  # the plain path says what is wrong
                    chunks.clear()
                    self._carried_offset = start
                    self._end = end
                    add(text_of(event))
                else:
                    frame = self._take_whole_frame(chunk)
                    if frame is None:
                        break
                    event = self._plain_event(*frame)
                    if event is None:
                        continue
                self._event_number += 1
                yield event
                if not chunks and not self._eof:
                    return
            for name, data in self.frames():
                if accumulator.hot is not hot:
                    self._shortcut = hot, in_chunk, in_frame, text_of, add = _shortcut_to(accumulator.hot)
                # The same in large chunks. If only one quote is left there is no room for another member; else ask.
                event = None
                if (
                    name == "content_block_delta"
                    and data.startswith(in_frame.prefix)
                    and (data.count(b'"', in_frame.start) == 1 or in_frame.rest(data, in_frame.start))
                ):
                    try:
                        event = in_frame.decode(data)
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        event = None  # the plain path says what is wrong
                if event is not None:
                    add(text_of(event))
                else:
                    event = self._plain_event(name, data)
                    if event is None:
                        continue
                self._event_number += 1
                yield event
            if self._eof:
                self._finish(accumulator.end)
        except ProtocolError as error:
            self._fail(error)
            raise

    def _apply(self, event: MessageStreamEvent) -> None:
        self._accumulator.apply(event)

    def _snapshot(self) -> Message | None:
        return self._accumulator.snapshot


# What the hot path needs to know of the block that the latest event was about: how its deltas look as a chunk and as
# a frame, where their text is, and where it goes.
_Shortcut = tuple[BlockBuilder | None, DeltaShape, DeltaShape, Callable[[Any], str], Callable[[str], object]]

_TEXT_OF: dict[str, Callable[[Any], str]] = {
    "text_delta": operator.attrgetter("delta.text"),
    "input_json_delta": operator.attrgetter("delta.partial_json"),
    "thinking_delta": operator.attrgetter("delta.thinking"),
}


def _shortcut_to(hot: BlockBuilder | None) -> _Shortcut:
    if hot is None or hot.delta_type is None:
        return hot, _NO_SHAPE, _NO_SHAPE, str, str
    in_chunk = delta_shape(hot.index, hot.delta_type, b"event: content_block_delta\ndata: ", b"\n\n")
    return hot, in_chunk, delta_shape(hot.index, hot.delta_type), _TEXT_OF[hot.delta_type], hot.add


# NUL is in no payload: nothing begins like this.
_NO_SHAPE = attrs.evolve(delta_shape(0, "text_delta"), prefix=b"\0")
_NO_SHORTCUT = _shortcut_to(None)
