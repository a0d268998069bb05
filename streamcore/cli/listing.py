"""The `--list` option: list the exchanges in files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import attrs
import click

from streamcore.cli.exchanges import Selection, sources
from streamcore.cli.source import Failure, visible


@attrs.frozen
class _Entry:
    """One exchange.

    Attributes:
        path: The file, `-` for standard input.
        exchange: Its number, from 1; None for a raw body, or if the file or the rest of it cannot be read.
        kind: A `kinds.Kind`, or `unreadable`.
        summary: The request and the head of the answer, or the reason why it cannot be read.
    """

    path: str
    exchange: int | None
    kind: str
    summary: str | None


def print_list(paths: Sequence[str], selection: Selection, *, as_json: bool = False) -> None:
    """Print all exchanges of files, or only the selected one, as lines or as one JSON document.

    Raises:
        click.exceptions.Exit: A file or the rest of it cannot be read.
    """
    files: list[_Entry] = []
    failed = False
    for path in paths:
        if len(paths) > 1 and not as_json:
            click.echo(visible(path, lines=False))
        for entry in _entries(path, selection):
            failed = failed or entry.kind == "unreadable"
            if as_json:
                files.append(entry)
            elif entry.kind == "unreadable":
                Failure(entry.summary or "").show()
            else:
                line = f"{entry.exchange or 1:>4}  {entry.kind:<8}  {entry.summary or ''}"
                click.echo(visible(line.rstrip(), lines=False))
    if as_json:
        click.echo(json.dumps({"ok": not failed, "files": [attrs.asdict(entry) for entry in files]}, indent=2))
    if failed:
        raise click.exceptions.Exit(1)


def _entries(path: str, selection: Selection) -> Iterator[_Entry]:
    try:
        for source in sources(path, selection):
            yield _Entry(path, source.exchange, source.kind, source.summary)
    except Failure as failure:
        yield _Entry(path, None, "unreadable", failure.message)
