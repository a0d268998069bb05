"""Check that streams are complete: what `streamcore check` finds, and how it says so.

It costs little more than the engine: for nearly all events it looks at the class only, and it takes no snapshot.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
import click
from rich.console import Console
from rich.progress import track

from streamcore import MessageEngine, ProtocolError, Violation
from streamcore.cli.exchanges import Selection, no_stream, sources
from streamcore.cli.source import Boundaries, Failure, Source, place, visible
from streamcore.codec import encode_event
from streamcore.types import ContentBlockDeltaEvent, ErrorEvent

__all__ = [
    "Fault",
    "Report",
    "check_all",
    "check_file",
    "find_streams",
    "report_json",
    "report_lines",
    "total_line",
]

_MANY_FILES = 10
_MOST_VIOLATIONS = 5

Status: TypeAlias = Literal["ok", "violations", "failed", "skipped"]


@attrs.frozen(kw_only=True)
class Fault:
    """Why a stream failed.

    Attributes:
        kind: The name of the exception, the type in the stream's own error event, or `unreadable`.
        message: The same in words, without the place.
        offset: Bytes of the stream before the event concerned, where one is.
        event_number: Number of the event concerned, the first being 0.
        index: Index of the content block concerned.
        context: A line of what stands there.
    """

    kind: str
    message: str
    offset: int | None = None
    event_number: int | None = None
    index: int | None = None
    context: str | None = None

    def __str__(self) -> str:
        return place(ProtocolError(self.message, offset=self.offset, event_number=self.event_number, index=self.index))


@attrs.frozen(kw_only=True)
class Report:
    """What was found in one stream.

    Attributes:
        path: The file, `-` for standard input.
        exchange: The number of the exchange in a capture, the first being 1; None for a raw body.
        size: Bytes read.
        events: Events decoded.
        messages: Complete messages among them.
        violations: What was odd.
        fault: Why it failed, if it did.
        skipped: What the exchange is, if it is not about Messages.
    """

    path: str
    exchange: int | None = None
    size: int = 0
    events: int = 0
    messages: int = 0
    violations: tuple[Violation, ...] = ()
    fault: Fault | None = None
    skipped: str | None = None

    @property
    def status(self) -> Status:
        """`failed` is what makes the command fail: violations alone do not."""
        if self.fault is not None:
            return "failed"
        if self.skipped is not None:
            return "skipped"
        return "violations" if self.violations else "ok"


def find_streams(paths: Sequence[str]) -> Iterator[str]:
    """Generate the files to check: each path itself, and for a folder the captures that `streamcore serve` would play.

    Raises:
        Failure: A folder cannot be read, or holds none.
    """
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path
            continue
        from streamcore.replay.capture import CaptureError
        from streamcore.replay.formats.files import capture_files

        try:
            yield from map(str, capture_files(Path(path)))
        except CaptureError as error:
            raise Failure(str(error)) from error


def check_file(path: str, selection: Selection, *, strict: bool) -> list[Report]:
    """Check each stream in a file."""
    reports: list[Report] = []
    skipped: Source | None = None
    try:
        for source in sources(path, selection):
            if source.kind == "other":
                skipped = skipped or source
                reports.append(Report(path=path, exchange=source.exchange, skipped=source.summary))
            else:
                reports.append(_check_stream(source, strict=strict))
        if skipped is not None and len(reports) == sum(report.skipped is not None for report in reports):
            raise no_stream(path, skipped)
    except Failure as failure:
        reports.append(Report(path=path, fault=_unreadable(failure, path)))
    return reports


def _check_stream(source: Source, *, strict: bool) -> Report:
    """Read one stream to its end or first fault."""
    engine = MessageEngine(strict=strict, multiple_messages=True)
    messages = Boundaries()
    events = 0
    fault: Fault | None = None
    try:
        for batch in source.batches(engine):
            for event in batch:
                events += 1
                if type(event) is ContentBlockDeltaEvent:
                    continue  # nearly all of them: this line is all that they cost
                messages.begins(event)
                messages.ends(event)
                if isinstance(event, ErrorEvent) and fault is None:
                    fault = _reported(event, source, offset=engine.event_offset, event_number=events - 1)
    # An error event is nearly always the end of its stream: that this came too soon follows from the error.
    except ProtocolError as error:
        fault = fault or _fault(type(error).__name__, error, source)
    except Failure as failure:
        fault = fault or _unreadable(failure, source.name, source.path)
    return Report(
        path=source.path,
        exchange=source.exchange,
        size=source.size,
        events=events,
        messages=messages.complete,
        violations=engine.violations,
        fault=fault,
    )


def _unreadable(failure: Failure, *names: str) -> Fault:
    said = failure.message
    for name in names:  # the line before names the file; this one may go on with a place in it
        said = said.removeprefix(name)
    return Fault(kind="unreadable", message=said.lstrip(":, "))


def _reported(event: ErrorEvent, source: Source, *, offset: int, event_number: int) -> Fault:
    """Return the fault that a stream reports itself.

    The event is shown for captures, where an offset in the stream is not a place in the file.
    """
    said = f"an error event came: {event.error.type}: {event.error.message}"
    place = ProtocolError(said, offset=offset, event_number=event_number, received=encode_event(event))
    return _fault(event.error.type, place, source)


def _fault(kind: str, error: ProtocolError, source: Source) -> Fault:
    return Fault(
        kind=kind,
        message=error.message,
        offset=error.offset,
        event_number=error.event_number,
        index=error.index,
        context=source.context(error),
    )


def check_all(paths: Sequence[str], selection: Selection, *, strict: bool) -> Iterator[list[Report]]:
    """Check files one by one; generate the reports of each.

    Many files get a progress bar, if stderr is a terminal; then the reports come after it.
    """
    console = Console(stderr=True)
    has_bar = len(paths) >= _MANY_FILES and console.is_terminal
    shown = track(paths, "checking", console=console, transient=True) if has_bar else paths
    reports = (check_file(path, selection, strict=strict) for path in shown)
    yield from list(reports) if has_bar else reports


_COLORS: dict[Status, str] = {"ok": "green", "violations": "yellow", "failed": "red", "skipped": "bright_black"}


def report_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Generate the lines about one file, for people. `click.echo` drops the colours without a terminal."""
    for report in reports:
        status = click.style(f"{report.status:<10}", fg=_COLORS[report.status])
        number = "" if report.exchange is None or len(reports) == 1 else f", exchange {report.exchange}"
        yield f"{status}  {visible(report.path, lines=False)}{number}{_counts(report)}"
        for violation in report.violations[:_MOST_VIOLATIONS]:
            yield f"            {visible(str(violation), lines=False)}"
        if len(report.violations) > _MOST_VIOLATIONS:
            yield f"            … {len(report.violations) - _MOST_VIOLATIONS} more"
        if report.fault is not None:
            yield f"            {visible(str(report.fault), lines=False)}"
            if report.fault.context is not None:
                yield f"            | {report.fault.context}"


def _counts(report: Report) -> str:
    if report.skipped is not None:
        return f"  ({visible(report.skipped, lines=False)})"
    if not report.size:
        return ""
    return f"  (messages: {report.messages}, events: {report.events}, bytes: {report.size})"


def total_line(reports: Iterable[Report]) -> str:
    """Return the sum, for people."""
    counts = Counter(report.status for report in reports)
    shown = f"{counts['ok']} ok, {counts['violations']} with violations, {counts['failed']} failed"
    if counts["skipped"]:
        shown += f", {counts['skipped']} skipped"
    return click.style(shown, bold=True)


def report_json(reports: Sequence[Report]) -> str:
    """Return all reports as one JSON document: `ok`, `files`, how many of each status, and how many were skipped."""
    counts = Counter(report.status for report in reports)
    document: dict[str, Any] = {
        "ok": counts["failed"] == 0,
        "counts": {status: counts[status] for status in ("ok", "violations", "failed")},
        "skipped": counts["skipped"],
        "files": [{"path": report.path, "status": report.status} | attrs.asdict(report) for report in reports],
    }
    return json.dumps(document, indent=2)
