"""Parse faults that are given as texts, as on the command line (`cut:event=3,broken=yes`)."""

from __future__ import annotations

from collections.abc import Iterable

from streamcore.errors import InvalidArgumentError
from streamcore.replay.faults.kinds import FAULTS, Fault
from streamcore.replay.faults.text_options import split_options, with_options


def check_faults(faults: Iterable[Fault | str]) -> tuple[Fault, ...]:
    """Return faults that are given as values or as texts.

    Raises:
        InvalidArgumentError: One of them is not a fault.
    """
    if isinstance(faults, str) or not isinstance(faults, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"faults must be a list of faults, not {faults!r}")
    checked: list[Fault] = []
    for fault in faults:
        if isinstance(fault, str):
            fault = parse_fault(fault)
        elif isinstance(fault, type) or not callable(fault):
            raise InvalidArgumentError(f"a fault must be a text, a value of a fault class or a function, not {fault!r}")
        checked.append(fault)
    return tuple(checked)


def parse_fault(text: str) -> Fault:
    """Parse a fault: its name, and its options as in `cut:event=3,broken=yes`.

    Raises:
        InvalidArgumentError: The text is not a fault.
    """
    name, options = split_options(text)
    cls = FAULTS.get(name)
    if cls is None:
        raise InvalidArgumentError(f"{name!r} is not a fault; it must be one of {', '.join(FAULTS)}")
    fault: Fault = with_options(cls, name, options)
    return fault
