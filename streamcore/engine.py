"""Bytes of a Messages stream to typed events and an always-current message: framing, codec and accumulator composed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from streamcore._checkpoint import limits_of, read_checkpoint, write_checkpoint
from streamcore._engine_state import Delivery, EngineState
from streamcore._event_source import DecoderBase, EventSource
from streamcore.accumulator import COMPACT_AFTER, BlockInProgress, MessageAccumulator
from streamcore.codec import TYPED_EVENTS
from streamcore.codec._fast_delta import NO_FAST_DELTA, fast_delta
from streamcore.codec._recurring import recurring_event
from streamcore.errors import InvalidJSON, ProtocolError, ViolationLog
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import Message, MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.typed import AnswerTypes, OnInvalid, Values, Views

__all__ = ["MessageEngine"]

_T = TypeVar("_T")


class MessageEngine(DecoderBase[MessageStreamEvent], Generic[OutputT]):
    """Decode a Messages stream into typed events and keep the message up to date.

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

    `events()` raises only `ProtocolError` and its subclasses; any other exception is a bug. After one of them the
    engine refuses more data; `snapshot` and `violations` stay readable. An engine can be neither copied nor pickled;
    events and snapshots can be. `checkpoint()` puts an engine away as bytes, and `restore()` takes it up again.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string value that is still open is part of a tool's `input`, as far as it has
            arrived. Off, as in the `anthropic` package, a value appears when it is complete.
        multiple_messages: Whether the stream may contain several messages one after another, as a capture may. They
            count as one stream for limits and violations; `snapshot` and `final_message` are those of the latest.
        output_format: The class that the text of the answer is JSON of. Its blocks then have `parsed_output`.
        tool_types: Classes of the inputs of tools, by the tools' names, or a list of classes and functions as for
            `tools` of a request. The blocks of these tools then have `parsed_input`.
        on_invalid: What happens if something is not of its class: `"raise"`, or `"keep"`, which sets the block's
            `parse_error`.
        invalid_json: What happens if the input of a tool is not valid JSON: `"raise"`, or `"keep"`. With `"keep"` the
            block has the text as `partial_input`, the part that could be read as `input` and the fault as
            `parse_error`, and a violation is recorded. `on_invalid="keep"` does the same for tools that have a class.
    """

    __slots__ = (
        "_accumulator",
        "_add_text",
        "_compact_at",
        "_current_block",
        "_delivery",
        "_delta_in_chunk",
        "_delta_in_section",
        "_limits",
        "_parser",
        "_views",
    )

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
        invalid_json: InvalidJSON = "raise",
    ) -> None:
        self._limits = limits
        self._delivery: Delivery | None = None
        self._views: Views | None = None
        self._parser: AnswerTypes | None = None
        if output_format is not None or tool_types:
            # Imported here, so that programs without classes of their own do not load `streamcore.typed`.
            from streamcore.typed import AnswerTypes

            self._parser = AnswerTypes(output_format=output_format, tools=tool_types, on_invalid=on_invalid)
        log = ViolationLog(strict=strict)
        self._accumulator = MessageAccumulator(
            limits=limits,
            trailing_strings=trailing_strings,
            multiple_messages=multiple_messages,
            invalid_json=invalid_json,
            log=log,
            parser=self._parser,
        )
        source: EventSource[MessageStreamEvent] = EventSource(
            TYPED_EVENTS, recurring_event, progress=self._accumulator, log=log, limits=limits
        )
        super().__init__(source)
        self._compact_at = COMPACT_AFTER
        # The fast path for the current block, or functions that recognise nothing.
        self._current_block: BlockInProgress | None = None
        self._delta_in_chunk, self._delta_in_section = NO_FAST_DELTA
        self._add_text: Callable[[str], object] = _add_nowhere

    def events(self) -> Iterator[MessageStreamEvent]:
        """Yield the events that the bytes so far allow, one by one. `snapshot` is in step with the latest.

        Only one iterator may be in use at a time. It may be left at any event; the next one goes on from there.

        Raises:
            DecodeError: A payload is not a valid event, the input of a tool is complete and not JSON, or the body is
                not an event stream.
            EventOrderError: An event came where it must not.
            InvalidOutputError: A block is complete and not of the class that was asked for.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not come.
        """
        source, buffer = self._source, self._buffer
        if not source.start_is_checked and not source.begin():
            return
        frames = source.frames
        event: MessageStreamEvent | None
        try:
            while True:
                if frames.chunk_begins_event:
                    # The next chunk may be one event, as in a live stream.
                    if (chunk := buffer.next_chunk) is None:
                        break
                    event = self._delta_in_chunk(chunk, self._add_text)
                    if event is not None:
                        frames.skip_chunk(chunk)
                        source.event_number += 1
                        yield event
                        continue
                else:
                    # The sections of a chunk with several events.
                    for section in frames.unread_sections:
                        event = self._delta_in_section(section, self._add_text)
                        if event is not None:
                            source.event_number += 1
                        elif (event := self._plain_event(section)) is None:
                            break
                        yield event
                    if not frames.is_by_lines:
                        if frames.read_chunk():
                            continue
                        break
                if (event := self._plain_event()) is None:
                    break
                yield event
            if source.event_number >= self._compact_at:
                self._compact_at = source.event_number + COMPACT_AFTER
                self._accumulator.compact()
            if frames.at_eof:
                if (event := self._plain_event()) is not None:  # its blank line is missing
                    yield event
                source.finish(self._accumulator.end)
        except ProtocolError as error:
            source.fail(error, self._accumulator.snapshot)
            raise

    def _plain_event(self, section: bytes | None = None) -> MessageStreamEvent | None:
        """Decode and apply the next event, whatever it is. Return None if more bytes are needed.

        Args:
            section: The section that `unread_sections` has just given, if one was taken.
        """
        source, accumulator = self._source, self._accumulator
        event = source.next_event(section)
        if event is None:
            return None
        accumulator.take(event)
        source.before_delivery()
        message = accumulator.message
        if message is not None and message.current_block is not self._current_block:
            self._follow(message.current_block)
        return event

    def _follow(self, block: BlockInProgress | None) -> None:
        """Use the fast path for this block's deltas, or for none."""
        self._current_block = block
        if block is None or block.text_delta is None:
            self._delta_in_chunk, self._delta_in_section = NO_FAST_DELTA
            self._add_text = _add_nowhere
        else:
            self._delta_in_chunk, self._delta_in_section = fast_delta(block.index, block.text_delta)
            self._add_text = block.add_text

    @property
    def snapshot(self) -> Message[OutputT] | None:
        """The message exactly up to the latest event delivered, `None` before `message_start`. It never changes."""
        return self._accumulator.snapshot

    @property
    def complete(self) -> bool:
        """Whether `message_stop` has arrived."""
        return self._accumulator.complete

    @property
    def event_number(self) -> int:
        """How many events have been delivered."""
        return self._source.event_number

    @property
    def multiple_messages(self) -> bool:
        """Whether the stream may hold several messages, so that it is not over at `message_stop`."""
        return self._accumulator.multiple_messages

    @property
    def final_message(self) -> Message[OutputT]:
        """The complete message.

        Raises:
            IncompleteStreamError: `message_stop` has not arrived.
            ProtocolError: The error that the stream failed with before that.
        """
        failure = self._source.failure
        if failure is not None and not self.complete:
            raise failure.with_traceback(None)
        return self._accumulator.final_message

    def deferred_message(self) -> Callable[[], Message[OutputT]]:
        """Return a function for the current message's final state, even if another message has begun by then."""
        return self._accumulator.deferred_message()

    def block_in_progress(self, index: int) -> BlockInProgress | None:
        """Return the block with this index, or None if it was never started."""
        return self._accumulator.block_in_progress(index)

    @property
    def accumulator(self) -> MessageAccumulator:
        """The accumulator behind the engine, for reading only."""
        return self._accumulator

    # Checkpoints

    def checkpoint(self) -> bytes:
        """Return the state of the engine as bytes, at any moment. This changes nothing.

        Its size is that of what is open and of the message, not that of the bytes that were read. The format is
        described in `EMBEDDING.md`.

        Raises:
            CheckpointError: The stream has failed, so nothing can go on from here.
        """
        return self.checkpoint_of_stream((), self._undelivered)

    def checkpoint_of_stream(self, unread: Iterable[bytes], delivery: Delivery | None) -> bytes:
        """Return the checkpoint of a message stream over this engine.

        Args:
            unread: Chunks that the stream has read and the engine has not received.
            delivery: How far the stream has delivered the latest event, if it has not delivered all of it.

        Raises:
            CheckpointError: The stream has failed.
        """
        state = EngineState(
            limits=self._limits,
            log=self._source.log.get_state(),
            source=self._source.get_state(unread),
            accumulator=self._accumulator.get_state(),
            delivery=None if delivery is None else delivery.get_state(),
        )
        return write_checkpoint("MessageEngine", state)

    def take_delivery(self) -> Delivery | None:
        """Return what a message stream over this engine has to deliver first. A second call returns None.

        That is something if the engine was restored from the checkpoint of a stream in the middle of an event, and has
        not gone on since.
        """
        delivery, self._delivery = self._undelivered, None
        return delivery

    @property
    def _undelivered(self) -> Delivery | None:
        delivery = self._delivery
        return delivery if delivery is not None and delivery.event_number == self._source.event_number else None

    @classmethod
    def restore(
        cls,
        data: bytes,
        *,
        limits: Limits | None = None,
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: Mapping[str, Any] | Iterable[Any] | None = None,
    ) -> Self:
        """Return an engine that goes on from a checkpoint exactly as the original would have.

        The options are those of the original. Classes cannot be stored, so they are given again; a checkpoint knows
        their names and schemas. Views (`values`, `partial`) are not a part of it: they begin at the beginning of the
        message.

        Args:
            data: What `checkpoint` returned.
            limits: Bounds on the stream in place of those of the original.
            output_format: The `output_format` of the original.
            tool_types: The `tool_types` of the original.

        Raises:
            CheckpointError: It is not a valid checkpoint of a `MessageEngine`, it is over the limits, or it was made
                with other classes.
            InvalidArgumentError: `data` is not bytes.
            UnsupportedTypeError: JSON cannot be structured as one of the classes.
        """
        state = read_checkpoint(data, "MessageEngine", EngineState)
        options = state.accumulator
        engine = cls(
            limits=limits_of(state.limits, limits),
            trailing_strings=options.trailing_strings,
            multiple_messages=options.multiple_messages,
            output_format=output_format,
            tool_types=tool_types,
            on_invalid="raise" if options.parser is None else options.parser.on_invalid,
            invalid_json=options.invalid_json,
        )
        engine._source.log.set_state(state.log)
        engine._accumulator.set_state(options)
        engine._source.set_state(state.source)
        # The stages have their state, and the rest follows from it.
        engine._compact_at = state.source.event_number + COMPACT_AFTER
        engine._follow(engine._accumulator.current_block)
        if state.delivery is not None:
            engine._delivery = Delivery.of_state(state.delivery, state.source.event_number, engine._limits)
        return engine

    # Values of the user's own classes

    @overload
    def values(self, path: str, type: type[_T], *, block: int | None = None, tool: str | None = None) -> Values[_T]: ...
    @overload
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values: ...
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> Values:  # noqa: A002  # the usual name; the builtin is not used here
        """Return the values at a path of a tool's input or of structured output, each from the event that completes it.

        Iterating gives the values that are complete up to the event just delivered and have not been given yet. The
        same arguments give the same view, which goes on where it was left; a new one begins at the beginning.

        Args:
            path: `"edits.*"` is each item of `edits`, `"summary"` that member, `"summary~"` its text as it grows.
                `streamcore.typed.paths` describes the rest.
            type: The class of a value. By default what the types of the answer say, or plain JSON.
            block: The index of the block to look into.
            tool: The name of the tool whose input to look into. If the tool has no class, the values are plain JSON.
                Without `block` and `tool`, all blocks count whose type has the path, or all that are JSON if there are
                no types.

        Raises:
            PathError: The path is not valid, or none of the answer's types can have it.
            UnsupportedTypeError: JSON cannot be structured as the type.
            InvalidOutputError: While iterating: a value is not of the type. Iteration can go on with the next one.
        """
        return self._typed_views().values(path, type, block=block, tool=tool)

    @overload
    def partial(self, type: type[_T], *, block: int | None = None, tool: str | None = None) -> _T: ...
    @overload
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any: ...
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any:  # noqa: A002  # the usual name; the builtin is not used here
        """Return a value of a class as far as it has arrived, up to the event just delivered.

        It looks like an instance, with `MISSING` in place of everything that has not arrived, and it does not change.
        To a type checker it is an instance, so that the attributes are known; each may be `MISSING`, which is false.

        Args:
            type: The class: the `output_format`, that of a tool, or any other.
            block: The index of the block to look into.
            tool: The name of the tool whose input to look into. Without `block` and `tool`, the latest block of the
                type counts, or the latest of all if none is of the type.

        Raises:
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        return self._typed_views().partial(type, block=block, tool=tool)

    def _typed_views(self) -> Views:
        if self._views is None:
            from streamcore.typed import Views

            self._views = Views(self._accumulator, self._parser)
        return self._views


def _add_nowhere(text: str) -> None:
    raise AssertionError("without a block nothing is recognised")
