"""`streamcore serve` and `streamcore record`: a local endpoint and a recording proxy, until the process gets a signal.

The URL goes to standard output, for scripts. A line for each request goes to standard error, for people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import click

from streamcore.cli.arguments import PATH, examples
from streamcore.cli.source import Failure, discard, visible

_T = TypeVar("_T")


def _listens(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where a server listens: `host`, `port` and `allowed_hosts`."""
    options = [
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.option(
            "--port", type=click.IntRange(0, 65535), default=0, help="The port; 0, the default, picks a free one."
        ),
        click.option(
            "--allow-host",
            "allowed_hosts",
            metavar="NAME",
            multiple=True,
            help="Also answer requests whose Host header has this name; * is any name. The address to listen on, "
            "localhost and IP addresses are always allowed. May be repeated.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "streamcore serve captures/", "streamcore serve weather.sse --port 8000 --fault cut:event=3,broken=yes"
    )
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@_listens
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    metavar="FACTOR",
    default=1.0,
    help="How fast captures with times are played: 1 (the default) as recorded, 10 ten times as fast, 0 at once.",
)
@click.option(
    "--chunking",
    metavar="HOW",
    default="recorded",
    help="How the bytes are cut: recorded (the default), event (one event in each chunk), a number of bytes, random, "
    "or random:seed=1,largest=64.",
)
@click.option("--seed", type=int, default=0, help="The seed for random faults and chunks that have none of their own.")
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="Break each answer on purpose, for example cut:event=3,broken=yes. The faults are cut, stall, error, status, "
    "corrupt, duplicate, drop, nameless, comments, pings and crlf. May be repeated.",
)
def serve(paths: Sequence[str], speed: float, chunking: str, seed: int, faults: Sequence[str], **place: Any) -> None:
    """Play captures as a local Messages endpoint.

    A PATH is a file of captures, or a folder that is searched for such files (hidden ones are left out). The command
    prints a URL, which is the base URL for a client. POST to /v1/messages plays the captures in turn and then starts
    again; /NAME/v1/messages plays those of one file. A request with `stream: true` gets the stream as recorded, any
    other gets the complete message. Ctrl-C stops the server.

    It needs the extra `serve`: pip install 'streamcore-messages[serve]'
    """
    from streamcore.replay import INSTANTLY, parse_chunking, parse_fault
    from streamcore.replay.server import serving
    from streamcore.replay.server.listening import until_stopped

    if "-" in paths:
        raise Failure("standard input cannot be served: captures are played again and again, which needs a file")
    server = serving(
        paths,
        speed=speed or INSTANTLY,
        chunking=_seeded(parse_chunking, chunking, seed),
        faults=[_seeded(parse_fault, fault, seed) for fault in faults],
        log=_log,
        **place,
    )
    until_stopped(server, click.echo)


def _seeded(parse: Callable[[str], _T], text: str, seed: int) -> _T:
    """Parse `text`. A random fault or chunking whose text has no seed gets this one."""
    parsed: Any = parse(text)
    if hasattr(parsed, "seed") and "seed=" not in text:
        parsed = attrs.evolve(parsed, seed=seed)
    return parsed  # type: ignore[no-any-return]  # evolved or not, it is a `_T`


@click.command(epilog=examples("streamcore record --url https://api.anthropic.com --output weather.jsonl"))
@click.option("--url", required=True, help="The URL of the upstream, for example https://api.anthropic.com.")
@click.option("--output", required=True, metavar="FILE", type=PATH, help="The file to write; .jsonl keeps the most.")
@_listens
def record(url: str, output: str, **place: Any) -> None:
    """Record what a client and an upstream exchange.

    The command is a proxy. It prints a URL, which is the base URL for a client, and passes bytes on as they arrive.
    When an exchange ends and no other is open, FILE is replaced: it holds all exchanges so far, in order, without API
    keys, cookies and the like. Ctrl-C stops the proxy; open streams are kept as far as they came.

    It needs the extra `serve`: pip install 'streamcore-messages[serve]'
    """
    from streamcore.replay.server.listening import until_stopped
    from streamcore.replay.server.proxy import proxying

    until_stopped(proxying(url, output, log=_log, **place), click.echo)


def _log(line: str) -> None:
    """Print one line about a request. A server goes on when nobody reads its log any more."""
    try:
        click.echo(visible(line, lines=False), err=True)
    except OSError:
        discard(sys.stderr)
