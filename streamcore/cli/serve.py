"""`streamcore serve`: a local endpoint that plays captures until it is told to stop.

Its URL goes to standard output, for scripts; what becomes of each request to standard error, for people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import click

from streamcore import StreamCoreError
from streamcore.cli.source import Failure, visible

__all__ = ["announce", "log", "run"]

_T = TypeVar("_T")


def run(
    paths: Sequence[str], *, host: str, port: int, speed: float, chunking: str, seed: int, faults: Sequence[str]
) -> None:
    """Serve the captures in `paths` until SIGINT or SIGTERM.

    Raises:
        Failure: There are none, an option is none, or it is not possible to listen there.
    """
    from streamcore.replay import INSTANTLY, parse_chunking, parse_fault
    from streamcore.replay.listening import until_stopped
    from streamcore.replay.server import serving

    if "-" in paths:
        raise Failure("standard input cannot be served: captures are played again and again, which takes a file")
    try:
        server = serving(
            paths,
            host=host,
            port=port,
            speed=speed or INSTANTLY,
            chunking=seeded(parse_chunking, chunking, seed),
            faults=[seeded(parse_fault, fault, seed) for fault in faults],
            log=log,
        )
        until_stopped(server, announce)
    except StreamCoreError as error:
        raise Failure(str(error)) from error


def seeded(parse: Callable[[str], _T], text: str, seed: int) -> _T:
    """What `text` means; if that is random, and the text has no seed for it, with this one."""
    parsed: Any = parse(text)
    if hasattr(parsed, "seed") and "seed=" not in text:
        parsed = attrs.evolve(parsed, seed=seed)
    return parsed  # type: ignore[no-any-return]  # evolved or not, it is a `_T`


def announce(url: str) -> None:
    """Print the URL, at once also where output is a pipe."""
    click.echo(url)


def log(line: str) -> None:
    """Print what has happened."""
    click.echo(visible(line, lines=False), err=True)
