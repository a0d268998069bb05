"""Typed events to the message so far.

`_transitions` is the table of the order of events, and `_accumulator` does as the table says. `_message` and
`_block` are a message and a content block in progress, `_fields` the fields of a block that grow, `_deltas` the table
of what each type of delta does, and `_message_delta` what a `message_delta` does. Nothing in this folder knows bytes.
"""

from streamcore.accumulator._accumulator import COMPACT_AFTER, MessageAccumulator
from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._parser import BlockParser

__all__ = ["COMPACT_AFTER", "BlockInProgress", "BlockParser", "MessageAccumulator"]
