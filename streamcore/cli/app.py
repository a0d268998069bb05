"""The commands and their options. The work of a command is in a module of its own, unless it is a few lines."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console

from streamcore import MessageEngine, MessageStreamEvent, ProtocolError, StreamCoreError
from streamcore._extras import NotInstalledError
from streamcore.cli.arguments import PATH, examples
from streamcore.cli.check import Report, check_all, find_streams, report_json, report_lines, total_line
from streamcore.cli.exchanges import Selection, options
from streamcore.cli.listing import print_list
from streamcore.cli.reading import read_streams, warn_of_violations
from streamcore.cli.render import Display, Pace
from streamcore.cli.serve import record, serve
from streamcore.cli.source import Boundaries, Failure, Mistake, StreamSource, discard
from streamcore.stream import derive

# The exit codes that shells give a process that was killed by SIGINT (2) or SIGPIPE (13).
_INTERRUPTED = 128 + 2
_NOT_READ = 128 + 13


class _Console(Console):
    """A console that leaves a closed pipe to the command; rich would exit with code 1."""

    def on_broken_pipe(self) -> None:
        raise  # called in the `except` block of the BrokenPipeError


class _Commands(click.Group):
    """A group whose commands end quietly when interrupted, and with one line after a mistake or a failure."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _failures():  # --help and --version print here
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _failures():
            if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # closed by the caller
                raise Failure("standard output is closed")
            # Characters that the encoding of the terminal does not have are escaped.
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")
            if os.environ.get("NO_COLOR"):  # rich looks at it, click does not
                ctx.color = False
            elif os.environ.get("FORCE_COLOR"):
                ctx.color = True
            result = super().invoke(ctx)
            sys.stdout.flush()
        return result


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn the exceptions that any command may raise into exit codes and, where the user needs it, a line on stderr."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "streamcore"
        raise Mistake(f"{error.format_message()} See {command} --help") from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_INTERRUPTED) from None
    except (NotInstalledError, StreamCoreError) as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:  # as with `| head -1`: nobody reads the rest of the output
        discard(sys.stdout)
        raise click.exceptions.Exit(_NOT_READ) from None
    except OSError as error:  # nearly all that files raise is a Failure already
        said = (error.strerror or str(error)).lower()
        if error.filename is not None:
            raise Failure(f"{os.fsdecode(error.filename)}: {said}") from error
        discard(sys.stdout)
        raise Failure(f"standard output: {said}") from error


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    import importlib.metadata

    try:
        click.echo(importlib.metadata.version("streamcore-messages"))
    except importlib.metadata.PackageNotFoundError as error:
        raise Failure("the version is not known, because the package is not installed") from error
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("streamcore replay weather.sse", "curl -N ... | streamcore replay -", "streamcore check captures/"),
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Look at recorded or live event streams of the Messages API, record and serve them.

    A FILE is the raw body of a text/event-stream response, or captures in a format that `streamcore convert` names. `-`
    is standard input, a raw body that is read as it arrives.

    The exit code is 0 if all is well; 1 if a stream is broken, ends early or reports an error, or a file cannot be read
    or written; 2 if an option or an argument is wrong; 130 after Ctrl-C.
    """


_file_argument = click.argument("path", metavar="FILE", type=PATH)
_strict_option = click.option(
    "--strict", is_flag=True, help="Fail on violations of the protocol. By default they are only reported."
)


@cli.command(
    epilog=examples(
        "streamcore replay weather.sse",
        "streamcore replay --speed 2 weather.jsonl",
        "curl -N ... | streamcore replay -",
    )
)
@_file_argument
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    metavar="FACTOR",
    help="How fast events are shown: 1 is as recorded, or 40 a second if the file has no times; 2 is twice as fast, 0 "
    "as fast as they can be read. The default is 1 for a file on a terminal, otherwise 0.",
)
@options
@_strict_option
def replay(path: str, speed: float | None, exchange: int | None, only_list: bool, strict: bool) -> None:
    """Show a stream as it unfolds.

    Text is shown bare, thinking dimmed, tool calls with their input as it grows, results of server tools in a few
    lines, citations as marks. After each message: why it stopped, its model, usage, and violations of the protocol.
    """
    console = _Console(highlight=False, soft_wrap=True)
    is_first = True

    def show(source: StreamSource, engine: MessageEngine, batches: Iterator[Iterator[MessageStreamEvent]]) -> None:
        source.speed = (1 if console.is_terminal and not source.is_stdin else 0) if speed is None else speed
        pace = Pace(source.speed) if source.speed and not source.has_times else None
        display = Display(console, engine)
        nonlocal is_first
        if not is_first:
            console.print()
        is_first = False
        try:
            for batch in batches:
                try:
                    for event in batch:
                        display.show(event)
                        if pace is not None:
                            display.flush()
                            pace.wait()
                finally:
                    display.flush()
        except (ProtocolError, Failure):
            display.finish()
            raise
        except KeyboardInterrupt:  # the user stopped reading; the message itself is not incomplete
            display.leave()
            raise
        display.finish()

    read_streams(path, Selection(exchange, only_list), strict, show)


@cli.command(
    epilog=examples("streamcore events weather.sse", "streamcore events --derived weather.sse | grep snapshot")
)
@_file_argument
@click.option(
    "--derived",
    is_flag=True,
    help="Print what message streams yield: also derived events (text, thinking, ...), and in stop events the complete "
    "block or message.",
)
@options
@_strict_option
def events(path: str, derived: bool, exchange: int | None, only_list: bool, strict: bool) -> None:
    """Print the events, one JSON object a line."""
    out = sys.stdout.buffer

    def show(source: StreamSource, engine: MessageEngine, batches: Iterator[Iterator[MessageStreamEvent]]) -> None:
        for batch in batches:
            try:
                for event in batch:
                    for yielded in derive(event, engine) if derived else (event,):
                        out.write(yielded.model_dump_json().encode() + b"\n")
            finally:
                out.flush()
        warn_of_violations(source, engine)

    read_streams(path, Selection(exchange, only_list), strict, show)


@cli.command(epilog=examples("streamcore message weather.sse", "streamcore message --exchange 1 weather.jsonl"))
@_file_argument
@options
@_strict_option
def message(path: str, exchange: int | None, only_list: bool, strict: bool) -> None:
    """Print the final message as indented JSON.

    Several messages are printed one after another. A message that is not complete is not printed.
    """
    out = sys.stdout.buffer

    def show(source: StreamSource, engine: MessageEngine, batches: Iterator[Iterator[MessageStreamEvent]]) -> None:
        messages = Boundaries()
        for batch in batches:
            for event in batch:
                messages.begins(event)
                if messages.ends(event):
                    out.write(engine.final_message.to_json().encode() + b"\n")
                    out.flush()
        warn_of_violations(source, engine)

    read_streams(path, Selection(exchange, only_list), strict, show)


@cli.command(
    epilog=examples("streamcore check captures/", "streamcore check --strict --json weather.sse weather.jsonl")
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@options
@_strict_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document: ok, counts, skipped and files; with --list, ok and files.",
)
def check(paths: tuple[str, ...], exchange: int | None, only_list: bool, strict: bool, as_json: bool) -> None:
    """Check that streams are complete.

    For each stream the command prints ok, its violations of the protocol, or the error and its place. A PATH is a file,
    or a folder that is searched for captures (.sse, .jsonl, .har, .json, .yaml, .yml; hidden files are left out). Each
    exchange of a capture is a stream of its own; those that are not about Messages are skipped, and damaged ones fail.
    The exit code is 1 if any stream fails; violations fail with --strict only.
    """
    selection = Selection(exchange, only_list)
    found = list(find_streams(paths))
    if only_list:
        print_list(found, selection, as_json=as_json)
        return
    reports: list[Report] = []
    for of_file in check_all(found, selection, strict=strict):
        reports += of_file
        if not as_json:
            for line in report_lines(of_file):
                click.echo(line)
    click.echo(report_json(reports) if as_json else total_line(reports))
    if any(report.reason is not None for report in reports):
        raise click.exceptions.Exit(1)


cli.add_command(serve)
cli.add_command(record)


@cli.command(
    epilog=examples("streamcore convert weather.jsonl weather.har", "streamcore convert --from sse --to timed - -")
)
@click.argument("source", metavar="IN", type=PATH)
@click.argument("target", metavar="OUT", type=PATH)
@click.option("--from", "source_format", metavar="FORMAT", help="The format of IN, if its suffix does not name it.")
@click.option("--to", "target_format", metavar="FORMAT", help="The format of OUT, if its suffix does not name it.")
def convert(source: str, target: str, source_format: str | None, target_format: str | None) -> None:
    """Write the captures of one file to another, in another format.

    The suffixes name the format: timed (.jsonl) keeps requests, headers, chunks and times; har (.har) and cassette
    (.yaml, of vcrpy) keep requests and headers; sse (.sse) is the bytes of the streams. API keys, cookies and the like
    are left out. `-` is standard input or output.
    """
    from streamcore.cli import convert

    convert.convert(source, target, source_format=source_format, target_format=target_format)
