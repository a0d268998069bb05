"""`streamcore serve`: a local endpoint that plays captures until it gets a signal.

Its URL goes to standard output, for scripts. A line for each request goes to standard error, for people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import click

from streamcore import StreamCoreError
from streamcore.cli.source import Failure, discard, visible

__all__ = ["announce", "log", "run"]

_T = TypeVar("_T")


def run(
    paths: Sequence[str],
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    speed: float,
    chunking: str,
    seed: int,
    faults: Sequence[str],
) -> None:
    """Serve the captures in `paths` until SIGINT or SIGTERM.

    Raises:
        Failure: `paths` have no captures, an option is invalid, or the server cannot listen there.
    """
    from streamcore.replay import INSTANTLY, parse_chunking, parse_fault
    from streamcore.replay.server import serving
    from streamcore.replay.server.listening import until_stopped

    if "-" in paths:
        raise Failure("standard input cannot be served: captures are played again and again, which needs a file")
    try:
        server = serving(
            paths,
            host=host,
            port=port,
            allowed_hosts=allowed_hosts,
            speed=speed or INSTANTLY,
            chunking=seeded(parse_chunking, chunking, seed),
            faults=[seeded(parse_fault, fault, seed) for fault in faults],
            log=log,
        )
        until_stopped(server, announce)
    except StreamCoreError as error:
        raise Failure(str(error)) from error


def seeded(parse: Callable[[str], _T], text: str, seed: int) -> _T:
    """Parse `text`. A random fault or chunking whose text has no seed gets this one."""
    parsed: Any = parse(text)
    if hasattr(parsed, "seed") and "seed=" not in text:
        parsed = attrs.evolve(parsed, seed=seed)
    return parsed  # type: ignore[no-any-return]  # evolved or not, it is a `_T`


def announce(url: str) -> None:
    """Print the URL at once, also to a pipe."""
    click.echo(url)


def log(line: str) -> None:
    """Print one line about a request. A server goes on when nobody reads its log any more."""
    try:
        click.echo(visible(line, lines=False), err=True)
    except OSError:
        discard(sys.stderr)
