"""`streamcore check`: check that streams are complete, and report it.

It costs little more than the engine: it looks only at the class of nearly all events, and takes no snapshot.
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
from streamcore.cli.source import Boundaries, Failure, StreamSource, visible
from streamcore.codec import encode_event
from streamcore.types import ContentBlockDeltaEvent, ErrorEvent

_MANY_FILES = 10
_MOST_VIOLATIONS = 5

Status: TypeAlias = Literal["ok", "violations", "failed", "skipped"]


@attrs.frozen
class Reason:
    """The reason why a stream failed.

    Attributes:
        kind: The name of the exception, the type in the stream's own error event, or `unreadable`.
        error: The reason in words and its place, without the bytes received: `context` shows them.
        context: A line of the input at that place.
    """

    kind: str
    error: ProtocolError
    context: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is in the JSON report."""
        place = {name: getattr(self.error, name) for name in ("message", "offset", "event_number", "index")}
        return {"kind": self.kind} | place | {"context": self.context}


@attrs.frozen(kw_only=True)
class Report:
    """The result of checking one stream.

    Attributes:
        path: The file, `-` for standard input.
        exchange: The number of the exchange in a capture, from 1; None for a raw body.
        size: The number of bytes read.
        events: The number of events decoded.
        messages: The number of complete messages.
        violations: Violations of the protocol.
        reason: Why the stream failed; None if it did not.
        skipped: A description of the exchange if it is not about Messages, otherwise None.
    """

    path: str
    exchange: int | None = None
    size: int = 0
    events: int = 0
    messages: int = 0
    violations: tuple[Violation, ...] = ()
    reason: Reason | None = None
    skipped: str | None = None

    @property
    def status(self) -> Status:
        """The result in one word. Only `failed` makes the command fail; violations do not."""
        if self.reason is not None:
            return "failed"
        if self.skipped is not None:
            return "skipped"
        return "violations" if self.violations else "ok"

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is in the JSON report."""
        fields = {"path": self.path, "status": self.status} | attrs.asdict(
            self, filter=lambda field, _: field.name != "reason"
        )
        return fields | {"fault": None if self.reason is None else self.reason.to_dict()}


def find_streams(paths: Sequence[str]) -> Iterator[str]:
    """Generate the files to check: each path itself, and for a folder the captures that `streamcore serve` would play.

    Raises:
        CaptureError: A folder cannot be read or has no captures.
    """
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path
        else:
            from streamcore.replay.formats.files import capture_files

            yield from map(str, capture_files(Path(path)))


def check_file(path: str, selection: Selection, *, strict: bool) -> list[Report]:
    """Check each stream in a file."""
    reports: list[Report] = []
    skipped: StreamSource | None = None
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
        reports.append(Report(path=path, reason=_unreadable(failure, path)))
    return reports


def _check_stream(source: StreamSource, *, strict: bool) -> Report:
    """Read one stream to its end or its first failure."""
    engine = MessageEngine(strict=strict, multiple_messages=True)
    messages = Boundaries()
    events = 0
    reason: Reason | None = None
    try:
        for batch in source.batches(engine):
            for event in batch:
                events += 1
                if type(event) is ContentBlockDeltaEvent:
                    continue  # nearly all of them: this line is all that they cost
                messages.begins(event)
                messages.ends(event)
                if isinstance(event, ErrorEvent) and reason is None:
                    reason = _reported(event, source, offset=engine.event_offset, event_number=events - 1)
    # After an error event, the stream nearly always ends too early. Report the error event, not the early end.
    except ProtocolError as error:
        reason = reason or _reason(type(error).__name__, error, source)
    except Failure as failure:
        reason = reason or _unreadable(failure, source.name, source.path)
    return Report(
        path=source.path,
        exchange=source.exchange,
        size=source.size,
        events=events,
        messages=messages.complete,
        violations=engine.violations,
        reason=reason,
    )


def _unreadable(failure: Failure, *names: str) -> Reason:
    said = failure.message
    for name in names:  # the line before this one names the file already
        said = said.removeprefix(name)
    return Reason("unreadable", ProtocolError(said.lstrip(":, ")))


def _reported(event: ErrorEvent, source: StreamSource, *, offset: int, event_number: int) -> Reason:
    """Return the reason that an error event reports.

    For captures, the event is shown as the context: the offset is in the stream, not in the file.
    """
    said = f"an error event came: {event.error.type}: {event.error.message}"
    place = ProtocolError(said, offset=offset, event_number=event_number, received=encode_event(event))
    return _reason(event.error.type, place, source)


def _reason(kind: str, error: ProtocolError, source: StreamSource) -> Reason:
    context = source.context(error)
    error.received = None
    return Reason(kind, error, context)


def check_all(paths: Sequence[str], selection: Selection, *, strict: bool) -> Iterator[list[Report]]:
    """Check files one by one; generate the reports of each.

    With many files and a terminal, show a progress bar, and generate the reports after it.
    """
    console = Console(stderr=True)
    has_bar = len(paths) >= _MANY_FILES and console.is_terminal
    shown = track(paths, "checking", console=console, transient=True) if has_bar else paths
    reports = (check_file(path, selection, strict=strict) for path in shown)
    yield from list(reports) if has_bar else reports


_COLORS: dict[Status, str] = {"ok": "green", "violations": "yellow", "failed": "red", "skipped": "bright_black"}


def report_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Generate the lines about one file, for people. Without a terminal, `click.echo` drops the colours."""
    for report in reports:
        status = click.style(f"{report.status:<10}", fg=_COLORS[report.status])
        number = "" if report.exchange is None or len(reports) == 1 else f", exchange {report.exchange}"
        yield f"{status}  {visible(report.path, lines=False)}{number}{_counts(report)}"
        for violation in report.violations[:_MOST_VIOLATIONS]:
            yield f"            {visible(str(violation), lines=False)}"
        if len(report.violations) > _MOST_VIOLATIONS:
            yield f"            … {len(report.violations) - _MOST_VIOLATIONS} more"
        if report.reason is not None:
            yield f"            {visible(str(report.reason.error), lines=False)}"
            if report.reason.context is not None:
                yield f"            | {report.reason.context}"


def _counts(report: Report) -> str:
    if report.skipped is not None:
        return f"  ({visible(report.skipped, lines=False)})"
    if not report.size:
        return ""
    return f"  (messages: {report.messages}, events: {report.events}, bytes: {report.size})"


def total_line(reports: Iterable[Report]) -> str:
    """Return the last line, with the number of streams of each status."""
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
        "files": [report.to_dict() for report in reports],
    }
    return json.dumps(document, indent=2)
