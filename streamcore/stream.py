"""Streams."""

from streamcore._derive import derive

__all__ = ["derive"]
