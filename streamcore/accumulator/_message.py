"""A message in progress: the message without its content, its blocks in progress, and the last snapshot.

A snapshot is built when it is read, from the blocks that have changed since the last one. The others are shared between
snapshots, and so is all that is closed in the input of a tool. If you read no snapshot, none is built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamcore._checkpoint import require
from streamcore._objects.construct import copier, evolve
from streamcore._objects.immutable import ImmutableList
from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import Count, SavedState
from streamcore.accumulator._block import BlockInProgress, BlockState
from streamcore.accumulator._fields import FieldOptions
from streamcore.accumulator._message_delta import after_deltas
from streamcore.codec import structure
from streamcore.types import ContentBlock, Message, MessageDeltaEvent
from streamcore.types.base import plain

__all__ = ["MessageInProgress", "MessageState"]


class MessageState(SavedState):
    """The state of a message.

    Attributes:
        message: The message after the events so far, but with the content that it started with.
        blocks: The blocks that have started since. The index of the first is the number of blocks in that content.
        current_block: The index of the block that the latest event was about, if that is open.
        ended: Whether the stream has ended too soon.
        unclosed: The indexes of the blocks that were still open when `message_stop` arrived.
    """

    message: dict[str, Any]
    blocks: tuple[BlockState, ...] = ()
    current_block: Count | None = None
    ended: bool = False
    unclosed: tuple[Count, ...] = ()


class MessageInProgress(NotCopyable):
    """One message in progress.

    Args:
        message: The message as `message_start` gave it.

    Attributes:
        blocks: The blocks that have started, by index.
        content: All blocks as they were in the last snapshot, or as they started.
        current_block: The block that the latest event was about, while it is open.
        touched: The indexes of the blocks that events were about, in the order of the events, but one entry for all
            events in a row about the same block. The last entry is the current block if there is one. A reader
            remembers how far it has read this list, so that it need not look at all open blocks after each event.
        is_complete: Whether `message_stop` has arrived.
        unclosed: The blocks that were still open then.
    """

    __slots__ = (
        "_changed",
        "_deltas",
        "_ended",
        "_growing",
        "_head",
        "_length_of",
        "_mark",
        "_open_blocks",
        "_snapshot",
        "_with_content",
        "blocks",
        "content",
        "current_block",
        "is_complete",
        "touched",
        "unclosed",
    )

    def __init__(self, message: Message) -> None:
        self.blocks: dict[int, BlockInProgress] = {}
        self.current_block: BlockInProgress | None = None
        self.touched: list[int] = []
        # The blocks that were open when `last_open_block` was last read, in order, and those that started since.
        self._open_blocks: list[BlockInProgress] = []
        self.is_complete: bool = False
        self.unclosed: tuple[BlockInProgress, ...] = ()
        self._ended = False
        # The message without its content, and the events that are still to be applied to it.
        self._head = message
        self._deltas: list[MessageDeltaEvent] = []
        self.content: list[ContentBlock] = list(message.content)
        # The indexes of the blocks that may have changed since the last snapshot.
        self._changed: set[int] = set()
        self._snapshot: Message | None = None
        # The current block, while only its text can have changed since the last snapshot; otherwise None.
        self._growing: BlockInProgress | None = None
        # Returns the length of its text. (`int()` returns 0.)
        self._length_of: Callable[[], int] = int
        # The length of its text in the last snapshot.
        self._mark = 0
        # Copies `_head` with another content. It depends on the class of `_head`.
        self._with_content: Callable[[Any, Any], Any]

    def get_state(self) -> MessageState:
        """Return the state for a checkpoint."""
        head = after_deltas(self._head, self._deltas) if self._deltas else self._head
        return MessageState(
            message=head.to_dict(),
            blocks=tuple([block.get_state() for block in self.blocks.values()]),
            current_block=None if self.current_block is None else self.current_block.index,
            ended=self._ended,
            unclosed=tuple([block.index for block in self.unclosed]),
        )

    @classmethod
    def of_state(
        cls,
        state: MessageState,
        options: FieldOptions,
        end_block: Callable[[BlockInProgress], None],
        *,
        is_complete: bool,
    ) -> MessageInProgress:
        """Return a message with the state of a checkpoint.

        Args:
            state: The state.
            options: How the inputs of tools are read.
            end_block: Ends a block without recording violations.
            is_complete: Whether `message_stop` has arrived.

        Raises:
            CheckpointError: The state contradicts itself.
            ProtocolError: A block is not of the user's class.
            ValueError: The message or a block is not valid.
        """
        message = cls(structure(plain(state.message), Message))
        for block in state.blocks:
            message.add_block(BlockInProgress.of_state(len(message.content), block, options, end_block))
        current = state.current_block
        message.current_block = found = None if current is None else message.blocks.get(current)
        if current is not None:
            require(found is not None and not found.is_closed, "the current block is not open")
            if current != message.touched[-1]:
                message.touched.append(current)
        require(all(index in message.blocks for index in state.unclosed), "an unclosed block was never started")
        require(not is_complete or message.last_open_block is None, "a block is open in a complete message")
        message.unclosed = tuple([message.blocks[index] for index in state.unclosed])
        message.is_complete, message._ended = is_complete, state.ended
        return message

    @property
    def id(self) -> str:
        """The message's id."""
        return self._head.id

    @property
    def unknown_fields(self) -> set[str]:
        """The names of the unknown fields that the message and its usage had at its start."""
        return {*self._head.extra, *self._head.usage.extra}

    @property
    def last_open_block(self) -> int | None:
        """The index of the last block that is open, or None.

        A block that has closed stays closed, so each is looked at once and then forgotten, however often this is read:
        a stream may have 10,000 blocks, and `[DONE]` asks for this each time it comes.
        """
        while self._open_blocks and self._open_blocks[-1].is_closed:
            self._open_blocks.pop()
        return self._open_blocks[-1].index if self._open_blocks else None

    def add_block(self, block: BlockInProgress) -> None:
        """Append a block that has started. It is the current one."""
        self.blocks[block.index] = self.current_block = block
        self.touched.append(block.index)
        self._open_blocks.append(block)
        self.content.append(block.start)
        self._growing = self._snapshot = None
        self._changed.add(block.index)

    def touch(self, block: BlockInProgress) -> None:
        """Note that a block may have changed. A caller that only adds text to the current block need not call this."""
        self._growing = None
        self._length_of = int  # returns 0; the buffer of a block that has closed must not be kept
        self._changed.add(block.index)
        for touched in (block, self.current_block):  # the current one may grow after this without another entry
            if touched is not None and touched.index != self.touched[-1]:
                self.touched.append(touched.index)

    def set_model(self, model: str) -> None:
        """Change the model that answers."""
        self._growing = self._snapshot = None
        self._head = evolve(self._head, {"model": model})

    def add_delta(self, event: MessageDeltaEvent) -> None:
        """Change the message itself."""
        self._growing = self._snapshot = None
        self._deltas.append(event)

    def end(self) -> None:
        """Note that the stream has ended too soon: open blocks keep what has arrived."""
        self._ended = True
        self._growing = None
        self._changed.update(self.blocks)

    def snapshot(self) -> Message:
        """Return the message so far: the same object as before if nothing has changed."""
        block = self._growing
        if block is None:
            return self._build()
        # The usual case: only the current block's text has grown.
        mark = self._length_of()
        if mark != self._mark:
            self._mark = mark
            assert block.text is not None
            assert block.value is not None
            built = block.value.with_text(block.text.at(mark))
            if built is not self.content[block.index]:
                self.content[block.index] = built
                self._snapshot = self._with_content(self._head, ImmutableList(self.content))
        assert self._snapshot is not None
        return self._snapshot

    def _build(self) -> Message:
        if self._deltas:
            self._head = after_deltas(self._head, self._deltas)
            self._deltas = []
        for index in self._changed:
            built = self.blocks[index].snapshot(ended=self._ended)
            if built is not self.content[index]:
                self.content[index] = built
                self._snapshot = None
        self._with_content = copier(type(self._head), "content")  # unknown fields make it another class
        snapshot = self._snapshot
        if snapshot is None:
            snapshot = self._snapshot = self._with_content(self._head, ImmutableList(self.content))
        block = self.current_block
        self._changed = set() if block is None else {block.index}
        if block is not None and block.text is not None and block.has_only_grown and not self._ended:
            self._growing = block
            self._length_of = block.text.mark
            self._mark = self._length_of()
        return snapshot
