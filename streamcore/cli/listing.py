"""The `--list` option: list the exchanges in files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from streamcore.cli.exchanges import Selection, sources
from streamcore.cli.source import Failure, visible


def print_list(paths: Sequence[str], selection: Selection, *, as_json: bool = False) -> None:
    """Print all exchanges of files, or only the selected one, as lines or as one JSON document.

    An entry has the path (`-` for standard input), the number of the exchange from 1 (None for a raw body, or if the
    rest of the file cannot be read), its kind (a `kinds.Kind`, or `unreadable`), and a summary of it.

    Raises:
        click.exceptions.Exit: A file or the rest of it cannot be read.
    """
    entries: list[dict[str, Any]] = []
    failed = False
    for path in paths:
        if len(paths) > 1 and not as_json:
            click.echo(visible(path, lines=False))
        try:
            for source in sources(path, selection):
                entries.append(_entry(path, source.exchange, source.kind, source.summary))
                if not as_json:
                    line = f"{source.exchange or 1:>4}  {source.kind:<8}  {source.summary or ''}"
                    click.echo(visible(line.rstrip(), lines=False))
        except Failure as failure:
            failed = True
            entries.append(_entry(path, None, "unreadable", failure.message))
            if not as_json:
                failure.show()
    if as_json:
        click.echo(json.dumps({"ok": not failed, "files": entries}, indent=2))
    if failed:
        raise click.exceptions.Exit(1)


def _entry(path: str, exchange: int | None, kind: str, summary: str | None) -> dict[str, Any]:
    return {"path": path, "exchange": exchange, "kind": kind, "summary": summary}
