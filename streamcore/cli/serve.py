"""`streamcore serve`: a local endpoint that plays captures until it is told to stop.

Its URL goes to standard output, for scripts; what becomes of each request to standard error, for people.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from streamcore import StreamCoreError
from streamcore.cli.source import Failure, visible
from streamcore.replay import INSTANTLY, parse_chunking

__all__ = ["run"]


def run(paths: Sequence[str], *, host: str, port: int, speed: float, chunking: str) -> None:
    """Serve the captures in `paths` until SIGINT or SIGTERM.

    Raises:
        Failure: There are none, an option is none, or it is not possible to listen there.
    """
    try:
        from streamcore.replay.listening import until_stopped
        from streamcore.replay.server import serving
    except ModuleNotFoundError as error:
        raise Failure(f"{error.name} is not installed, which this needs: pip install 'streamcore[serve]'") from error
    try:
        server = serving(
            paths,
            host=host,
            port=port,
            speed=speed or INSTANTLY,
            chunking=parse_chunking(chunking),
            log=log,
        )
        until_stopped(server, announce)
    except StreamCoreError as error:
        raise Failure(str(error)) from error


def announce(url: str) -> None:
    """Print the URL, at once also where output is a pipe."""
    click.echo(url)


def log(line: str) -> None:
    """Print what has happened."""
    click.echo(visible(line, lines=False), err=True)
