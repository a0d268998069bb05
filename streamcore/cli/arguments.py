"""What several commands have in common: the type of a path, and the examples at the end of a help text."""

from __future__ import annotations

import click

__all__ = ["PATH", "examples"]

PATH = click.Path(allow_dash=True, readable=False)
"""A path. The type is for completion only: whether a file can be read is found out by reading it."""


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    return "\n  ".join(["\b\nExamples:", *lines])  # after \b, click does not wrap
