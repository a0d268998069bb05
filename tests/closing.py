"""Answers that another thread closes at the worst moment."""

from __future__ import annotations

import threading
from typing import Any

from server import BOUND


def closed_as_a_read_ends(answer_class: Any) -> Any:
    """Return a class of answers that another thread closes after a read, before the reader looks whether it has."""

    class Paused(answer_class):  # type: ignore[misc]  # any class of answers
        @property
        def _reading(self) -> bool:
            reading: bool = self.__dict__["reading"]
            return reading

        @_reading.setter
        def _reading(self, reading: bool) -> None:
            ended = self.__dict__.get("reading", False) and not reading
            self.__dict__["reading"] = reading
            if ended:
                closer = threading.Thread(target=self.close, daemon=True)
                closer.start()
                closer.join(BOUND)

    return Paused
