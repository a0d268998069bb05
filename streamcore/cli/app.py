"""The commands and their options. What each does with a stream is in a module of its own, unless it is a few lines."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console

from streamcore import MessageEngine, MessageStreamEvent, ProtocolError
from streamcore.cli.check import check_all, find_streams, report_json, report_lines, total_line
from streamcore.cli.render import Display, Pace
from streamcore.cli.source import Boundaries, Failure, Source, discard
from streamcore.codec import encode_event
from streamcore.stream import derive
from streamcore.types import ErrorEvent

__all__ = ["cli"]

# What commands import when they need it, and the extra that it comes with.
_EXTRAS = {
    "aiohttp": "serve",
    "multidict": "serve",
    "yarl": "serve",
    "anyio": "replay",
}
# The exit codes that shells give a process that was killed by SIGINT (2) or SIGPIPE (13).
_INTERRUPTED = 128 + 2
_NOT_READ = 128 + 13


class _Console(Console):
    """A console that leaves a closed pipe to the command; rich would exit with code 1."""

    def on_broken_pipe(self) -> None:
        raise  # called in the `except` block of the BrokenPipeError


class _Commands(click.Group):
    """A group whose commands end quietly when interrupted, and with one line when their output cannot be written."""

    def invoke(self, ctx: click.Context) -> Any:
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # closed by the caller
            raise Failure("standard output is closed")
        # What cannot be written in the encoding of the terminal is escaped.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None:
                raise
            said = f"{error.name} is not installed, which this needs: pip install 'streamcore[{extra}]'"
            raise Failure(said) from error
        except BrokenPipeError:  # as with `| head -1`: nobody reads the rest, so there is nothing left to do or to say
            discard(sys.stdout)
            ctx.exit(_NOT_READ)
        except OSError as error:  # nearly all that files raise is a Failure already
            said = (error.strerror or str(error)).lower()
            if error.filename is not None:
                raise Failure(f"{os.fsdecode(error.filename)}: {said}") from error
            discard(sys.stdout)
            raise Failure(f"standard output: {said}") from error
        return result


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    import importlib.metadata

    try:
        click.echo(importlib.metadata.version("streamcore"))
    except importlib.metadata.PackageNotFoundError as error:
        raise Failure("the version is not known, as the package is not installed") from error
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Look at recorded or live event streams of the Messages API, record and serve them.

    A FILE is the raw body of a text/event-stream response, a capture (.jsonl), a HAR file or a vcrpy cassette (.yaml);
    `-` is standard input, a raw body read as it arrives:

        curl -N ... | streamcore replay -

    The exit code is 1 for a stream that is broken, ends early or reports an error.
    """


_file_argument = click.argument("path", metavar="FILE")
_strict_option = click.option("--strict", is_flag=True, help="Fail where otherwise a violation is noted.")


@cli.command()
@_file_argument
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    metavar="FACTOR",
    help="How fast events are shown: 1 is as recorded in a .jsonl, or else 40 a second, 2 twice as fast, 0 as fast as "
    "they can be read. The default is 1 for a file on a terminal, otherwise 0.",
)
@_strict_option
def replay(path: str, speed: float | None, strict: bool) -> None:
    """Show a stream as it unfolds.

    Text comes bare, thinking dimmed, tool calls with their input growing, results of server tools in a few lines,
    citations as marks. At the end of each message: why it stopped, its model, usage, and what was odd.
    """
    console = _Console(highlight=False, soft_wrap=True)
    source = Source(path)
    if speed is None:
        speed = 1 if console.is_terminal and not source.is_stdin else 0
    source.speed = speed
    pace = Pace(speed) if speed and not source.has_times else None
    engine = _engine(strict)
    display = Display(console, engine)
    with _faults_of(source) as faults:
        try:
            for batch in source.batches(engine):
                try:
                    for event in batch:
                        display.show(event)
                        faults.see(event)
                        if pace is not None:
                            display.flush()
                            pace.wait()
                finally:
                    display.flush()
        except (ProtocolError, Failure):
            display.finish()
            raise
        except KeyboardInterrupt:  # it is not the message that breaks off here
            display.leave()
            raise
        display.finish()


@cli.command()
@_file_argument
@click.option(
    "--derived",
    is_flag=True,
    help="As message streams yield them: with derived events (text, thinking, ...), stop events with what is complete.",
)
@_strict_option
def events(path: str, derived: bool, strict: bool) -> None:
    """Print the events, one JSON object a line."""
    source = Source(path)
    engine = _engine(strict)
    out = sys.stdout.buffer
    encode = _encode_derived if derived else _encode_alone
    with _faults_of(source) as faults:
        for batch in source.batches(engine):
            try:
                for event in batch:
                    out.writelines(payload + b"\n" for payload in encode(event, engine))
                    faults.see(event)
            finally:
                out.flush()
    _warn_of_violations(source, engine)


def _encode_alone(event: MessageStreamEvent, engine: MessageEngine) -> Iterator[bytes]:
    yield encode_event(event)


def _encode_derived(event: MessageStreamEvent, engine: MessageEngine) -> Iterator[bytes]:
    for yielded in derive(event, engine):
        yield yielded.to_json().encode()


@cli.command()
@_file_argument
@_strict_option
def message(path: str, strict: bool) -> None:
    """Print the final message as JSON.

    It is indented; of several messages there is one document after another. One that is not complete is not printed.
    """
    source = Source(path)
    engine = _engine(strict)
    messages = Boundaries()
    out = sys.stdout.buffer
    with _faults_of(source) as faults:
        for batch in source.batches(engine):
            for event in batch:
                messages.begins(event)
                if messages.ends(event):
                    out.write(engine.final_message.to_json(indent=2).encode() + b"\n")
                    out.flush()
                faults.see(event)
    _warn_of_violations(source, engine)


@cli.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@_strict_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: ok, counts, files.")
def check(paths: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Say of each stream whether it is whole.

    That is: ok, what was odd (violations), or the error and its place. A PATH is a file or a folder, of which every
    file that may hold captures is checked (.sse, .jsonl, .har, .json, .yaml, .yml), also below, but for hidden ones.
    The exit code is 1 if any fails; violations fail with --strict only.
    """
    reports = []
    for report in check_all(list(find_streams(paths)), strict=strict):
        reports.append(report)
        if not as_json:
            for line in report_lines(report):
                click.echo(line)
    click.echo(report_json(reports) if as_json else total_line(reports))
    if any(report.fault is not None for report in reports):
        raise click.exceptions.Exit(1)


_host_option = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
_port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port; 0, the default, picks a free one."
)
_allow_host_option = click.option(
    "--allow-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="Also answer requests whose Host header has this name; * is any name. The address to listen on, localhost and "
    "IP addresses are always allowed. May be repeated.",
)


@cli.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@_host_option
@_port_option
@_allow_host_option
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
def serve(
    paths: tuple[str, ...],
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    speed: float,
    chunking: str,
    seed: int,
    faults: tuple[str, ...],
) -> None:
    """Play captures as a local Messages endpoint.

    A PATH is a file of captures, or a folder that is searched for such files (hidden ones are left out). The command
    prints a URL, which is the base URL for a client. POST to /v1/messages plays the captures in turn and then starts
    again; /NAME/v1/messages plays those of one file. A request with `stream: true` gets the stream as recorded, any
    other gets the complete message. Ctrl-C stops the server.

    It needs the extra `serve`: pip install 'streamcore[serve]'
    """
    from streamcore.cli import serve

    serve.run(
        paths,
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        speed=speed,
        chunking=chunking,
        seed=seed,
        faults=faults,
    )


@cli.command()
@click.option("--url", required=True, help="The URL of the upstream, for example https://api.anthropic.com.")
@click.option("--output", required=True, metavar="FILE", help="The file to write; .jsonl keeps the most.")
@_host_option
@_port_option
@_allow_host_option
def record(url: str, output: str, host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Record what a client and an upstream exchange.

    The command is a proxy. It prints a URL, which is the base URL for a client, and passes bytes on as they arrive.
    When an exchange ends and no other is open, FILE is replaced: it holds all exchanges so far, in order, without API
    keys, cookies and the like. Ctrl-C stops the proxy; open streams are kept as far as they came.

    It needs the extra `serve`: pip install 'streamcore[serve]'
    """
    from streamcore.cli import record

    record.run(url, output, host=host, port=port, allowed_hosts=allowed_hosts)


@cli.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--from", "source_format", metavar="FORMAT", help="What IN is, if its suffix does not tell.")
@click.option("--to", "target_format", metavar="FORMAT", help="What OUT shall be, if its suffix does not tell.")
def convert(source: str, target: str, source_format: str | None, target_format: str | None) -> None:
    """Write the captures of one file to another, in another format.

    The suffixes say which FORMAT: timed (.jsonl) keeps requests, headers, cuts and times; har (.har) and cassette
    (.yaml, of vcrpy) keep requests and headers; sse (.sse) is the bytes of the streams. API keys, cookies and the like
    are left out. `-` is standard input or output.
    """
    from streamcore.cli import convert

    convert.convert(source, target, source_format=source_format, target_format=target_format)


def _engine(strict: bool) -> MessageEngine:
    return MessageEngine(strict=strict, multiple_messages=True)


class _Faults:
    """Remembers the first error event of a stream."""

    def __init__(self) -> None:
        self.error: ErrorEvent | None = None

    def see(self, event: MessageStreamEvent) -> None:
        if self.error is None and isinstance(event, ErrorEvent):
            self.error = event


@contextlib.contextmanager
def _faults_of(source: Source) -> Iterator[_Faults]:
    """Turn what is wrong with a stream into a `Failure`: it broke the rules, or has reported an error."""
    faults = _Faults()
    try:
        yield faults
    except ProtocolError as error:
        raise source.failure(str(error)) from error
    if faults.error is not None:
        error_object = faults.error.error
        raise source.failure(f"an error event came: {error_object.type}: {error_object.message}")


def _warn_of_violations(source: Source, engine: MessageEngine) -> None:
    if engine.violations:
        click.echo(f"streamcore: {source.name}: violations: {len(engine.violations)}, see `streamcore check`", err=True)
