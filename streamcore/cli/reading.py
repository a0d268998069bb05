"""Read the streams of a file, one after the other, and report those that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import click

from streamcore import MessageEngine, MessageStreamEvent, ProtocolError
from streamcore.cli.exchanges import Selection, streams
from streamcore.cli.listing import print_list
from streamcore.cli.source import Failure, StreamSource
from streamcore.types import ErrorEvent

_Batches: TypeAlias = Iterator[Iterator[MessageStreamEvent]]


def read_streams(
    path: str, selection: Selection, strict: bool, read: Callable[[StreamSource, MessageEngine, _Batches], None]
) -> None:
    """Read the streams in a file, or list them. If one fails, print one line to stderr and go on with the next.

    Args:
        path: The file, `-` for standard input.
        selection: Which streams are read.
        strict: Whether violations of the protocol are errors.
        read: A function that gets a source, its engine, and the batches of events that they give, and reads them all.

    Raises:
        Failure: The file has nothing to read.
        click.exceptions.Exit: A stream failed: it breaks the rules, ends early or reports an error.
    """
    if selection.only_list:
        print_list([path], selection)
        return
    failed = False
    for source in streams(path, selection):
        engine = MessageEngine(strict=strict, multiple_messages=True)
        errors: list[ErrorEvent] = []
        try:
            try:
                read(source, engine, (_collecting(errors, batch) for batch in source.batches(engine)))
            except ProtocolError as error:
                raise source.failure(str(error)) from error
            if errors:
                first = errors[0].error
                raise source.failure(f"an error event came: {first.type}: {first.message}")
        except Failure as failure:
            failed = True
            failure.show()
    if failed:
        raise click.exceptions.Exit(1)


def _collecting(errors: list[ErrorEvent], events: Iterator[MessageStreamEvent]) -> Iterator[MessageStreamEvent]:
    for event in events:
        yield event
        if isinstance(event, ErrorEvent):
            errors.append(event)


def warn_of_violations(source: StreamSource, engine: MessageEngine) -> None:
    """Print one line to stderr if the stream deviated from the protocol."""
    if engine.violations:
        click.echo(f"streamcore: {source.name}: violations: {len(engine.violations)}, see `streamcore check`", err=True)
