"""Whether streams are whole: what `streamcore check` finds, and how it says so.

Costs little more than the engine: of nearly all events only the class is looked at, and no snapshot is taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
import click
from rich.console import Console
from rich.progress import Progress

from streamcore import MessageEngine, ProtocolError, Violation
from streamcore.cli.source import Boundaries, Failure, Source, place, visible
from streamcore.codec import encode_event
from streamcore.types import ContentBlockDeltaEvent, ErrorEvent

__all__ = ["Fault", "Report", "check_all", "check_stream", "find_streams", "report_json", "report_lines", "total_line"]

_MANY_FILES = 10
_MOST_VIOLATIONS = 5

Status: TypeAlias = Literal["ok", "violations", "failed"]


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
        size: Bytes read.
        events: Events decoded.
        messages: Complete messages among them.
        violations: What was odd.
        fault: Why it failed, if it did.
    """

    path: str
    size: int
    events: int
    messages: int
    violations: tuple[Violation, ...]
    fault: Fault | None

    @property
    def status(self) -> Status:
        """`failed` is what makes the command fail: violations alone do not."""
        if self.fault is not None:
            return "failed"
        return "violations" if self.violations else "ok"


def find_streams(paths: Sequence[str]) -> Iterator[str]:
    """The files to check: each path itself, and of a folder the captures that `streamcore serve` would play.

    Raises:
        Failure: A folder cannot be read, or holds none.
    """
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path
            continue
        from streamcore.replay.capture import CaptureError
        from streamcore.replay.files import capture_files

        try:
            yield from map(str, capture_files(Path(path)))
        except CaptureError as error:
            raise Failure(str(error)) from error


def check_stream(path: str, *, strict: bool) -> Report:
    """Read one stream to its end or first fault."""
    source = Source(path)
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
        said = failure.message.removeprefix(source.name)  # which may go on with the line
        fault = fault or Fault(kind="unreadable", message=said.lstrip(":, "))
    return Report(
        path=path,
        size=source.size,
        events=events,
        messages=messages.complete,
        violations=engine.violations,
        fault=fault,
    )


def _reported(event: ErrorEvent, source: Source, *, offset: int, event_number: int) -> Fault:
    """The fault that a stream reports itself. What it sent is for those whose offsets are no places in a file."""
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


def check_all(paths: Sequence[str], *, strict: bool) -> Iterator[Report]:
    """Check streams one by one. Many of them get a progress bar, if stderr is a terminal; the reports come after it."""
    console = Console(stderr=True)
    if len(paths) < _MANY_FILES or not console.is_terminal:
        for path in paths:
            yield check_stream(path, strict=strict)
        return
    reports = []
    with Progress(console=console, transient=True) as progress:
        for path in progress.track(paths, description="checking"):
            reports.append(check_stream(path, strict=strict))  # noqa: PERF401  # the bar is to move in between
    yield from reports


_COLORS: dict[Status, str] = {"ok": "green", "violations": "yellow", "failed": "red"}


def report_lines(report: Report) -> Iterator[str]:
    """A report for people. Colours are for `click.echo`, which drops them where there is no terminal."""
    status = click.style(f"{report.status:<10}", fg=_COLORS[report.status])
    counts = f"  (messages: {report.messages}, events: {report.events}, bytes: {report.size})" if report.size else ""
    yield f"{status}  {visible(report.path, lines=False)}{counts}"
    for violation in report.violations[:_MOST_VIOLATIONS]:
        yield f"            {visible(str(violation), lines=False)}"
    if len(report.violations) > _MOST_VIOLATIONS:
        yield f"            … {len(report.violations) - _MOST_VIOLATIONS} more"
    if report.fault is not None:
        yield f"            {visible(str(report.fault), lines=False)}"
        if report.fault.context is not None:
            yield f"            | {report.fault.context}"


def total_line(reports: Iterable[Report]) -> str:
    """The sum, for people."""
    counts = _status_counts(reports)
    shown = f"{counts['ok']} ok, {counts['violations']} with violations, {counts['failed']} failed"
    return click.style(shown, bold=True)


def report_json(reports: Sequence[Report]) -> str:
    """All reports as one JSON document: `ok`, `files`, and how many of each status."""
    counts = _status_counts(reports)
    files = [_report_dict(report) for report in reports]
    return json.dumps({"ok": counts["failed"] == 0, "counts": counts, "files": files}, indent=2)


def _report_dict(report: Report) -> dict[str, Any]:
    return {"path": report.path, "status": report.status, **attrs.asdict(report, filter=lambda a, _: a.name != "path")}


def _status_counts(reports: Iterable[Report]) -> dict[Status, int]:
    counts: dict[Status, int] = {"ok": 0, "violations": 0, "failed": 0}
    for report in reports:
        counts[report.status] += 1
    return counts
