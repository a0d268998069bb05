"""The base of the states that checkpoints are made of: one declared class for each stage, validated by msgspec."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

__all__ = ["Count", "SavedState"]

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number of bytes, characters, events or blocks. A larger one could grow until Python refuses to print it."""


class SavedState(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The state of one stage, as JSON can carry it. Bytes are base64 there.

    A stage has `get_state()`, which returns its state and changes nothing, and `set_state(state)`, which a new stage is
    given once. The latter raises `CheckpointError` for a state that this stage cannot be in: the types of the fields
    have been checked by then, and it checks what is left.
    """
