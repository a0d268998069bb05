"""Read the streams of a file, one after the other, and report those that fail."""

from __future__ import annotations

from collections.abc import Callable

import click

from streamcore import MessageEngine, MessageStreamEvent, ProtocolError
from streamcore.cli.exchanges import Selection, streams
from streamcore.cli.listing import print_list
from streamcore.cli.source import Failure, Source
from streamcore.types import ErrorEvent

__all__ = ["ErrorEvents", "read_streams", "warn_of_violations"]


def _engine(strict: bool) -> MessageEngine:
    return MessageEngine(strict=strict, multiple_messages=True)


class ErrorEvents:
    """Remembers the first error event of a stream."""

    def __init__(self) -> None:
        self.error: ErrorEvent | None = None

    def see(self, event: MessageStreamEvent) -> None:
        if self.error is None and isinstance(event, ErrorEvent):
            self.error = event


def read_streams(
    path: str, selection: Selection, strict: bool, read: Callable[[Source, MessageEngine, ErrorEvents], None]
) -> None:
    """Read the streams in a file, or list them. One that fails is one line on stderr, and the next is read.

    Raises:
        Failure: The file has nothing to read.
        click.exceptions.Exit: One has failed: it breaks the rules, ends early or reports an error.
    """
    if selection.only_list:
        print_list([path], selection)
        return
    failed = False
    for source in streams(path, selection):
        errors = ErrorEvents()
        try:
            try:
                read(source, _engine(strict), errors)
            except ProtocolError as error:
                raise source.failure(str(error)) from error
            if errors.error is not None:
                error_object = errors.error.error
                raise source.failure(f"an error event came: {error_object.type}: {error_object.message}")
        except Failure as failure:
            failed = True
            failure.show()
    if failed:
        raise click.exceptions.Exit(1)


def warn_of_violations(source: Source, engine: MessageEngine) -> None:
    """Print one line to stderr if the stream deviated from the protocol."""
    if engine.violations:
        click.echo(f"streamcore: {source.name}: violations: {len(engine.violations)}, see `streamcore check`", err=True)
