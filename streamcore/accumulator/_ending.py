"""The end of a content block: what is checked, and what is done with the input of a tool that is not valid JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._parser import BlockParser
from streamcore.errors import InvalidArgumentError, InvalidJSON, LimitExceededError, ProtocolError, ViolationLog
from streamcore.types import UnknownBlock

__all__ = ["BlockEnding"]


class BlockEnding:
    """End content blocks.

    Args:
        invalid_json: What happens if the input of a tool is not valid JSON; see `MessageEngine`.
        parser: Makes values of the user's own classes from complete blocks.
        log: Where violations are recorded.

    Raises:
        InvalidArgumentError: `invalid_json` has another value.
    """

    __slots__ = ("_keeps_invalid_json", "_log", "_parser")

    def __init__(self, invalid_json: InvalidJSON, parser: BlockParser | None, log: ViolationLog) -> None:
        if invalid_json not in ("raise", "keep"):
            raise InvalidArgumentError(f"invalid_json must be one of 'raise', 'keep', not {invalid_json!r}")
        self._keeps_invalid_json = invalid_json == "keep"
        self._parser = parser
        self._log = log

    def end(self, block: BlockInProgress) -> None:
        """Check a block that has ended, and set the attributes of it that have no wire form.

        Raises:
            DecodeError: The input of a tool is not valid JSON, and it is not to be kept.
            LimitExceededError: It is over a limit.
            ProtocolError: The parser refuses the block.
        """
        if "input" in block.fields and (fault := block.finish()) is not None:
            self._take_fault(block, fault)
        if block.may_have_halves and block.take_lone_surrogates():
            self._log.report("lone_surrogate", "half of a surrogate pair came without the other", index=block.index)
        if self._parser is not None or block.fault is not None:
            self._parse(block)

    def _take_fault(self, block: BlockInProgress, fault: ProtocolError) -> None:
        keeps = self._keeps_invalid_json or (self._parser is not None and self._parser.keeps_invalid_json(block.start))
        if isinstance(fault, LimitExceededError) or not keeps:
            raise fault
        if block.keep_fault(fault):
            self._log.report("invalid_input", fault.message, index=block.index)

    def _parse(self, block: BlockInProgress) -> None:
        parsed: Mapping[str, Any] = {}
        if block.fault is None:
            assert self._parser is not None
            parsed = self._parser.parse(block.snapshot(ended=True), block.index)
        elif not isinstance(block.start, UnknownBlock):
            parsed = {"parse_error": block.fault}
        block.set_parsed(parsed)
