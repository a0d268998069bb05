"""The elements of an array in a tool's input, each returned as soon as it is complete. Fragments have 20 characters.

Ours returns instances of a class and includes the work of the engine, whose cost alone is another contestant. The peers
get the bare fragments and return dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import attrs
import ijson  # type: ignore[import-untyped]  # it has no types
import jiter

from benchmarks import inputs, pipelines
from benchmarks.harness import Contestant, Row, timed
from benchmarks.rows.settings import RowMaker, Settings, doing, doubled_tables
from benchmarks.targets import Doubling, Faster
from streamcore import MessageEngine
from streamcore.typed import structure

_SIZE = 256 * 1024


@attrs.frozen
class _Line:
    id: int
    name: str
    score: float


@attrs.frozen
class _Table:
    rows: list[_Line]


def _values(frames: list[bytes]) -> list[_Line]:
    engine = MessageEngine()
    values = engine.values("rows.*", _Line)
    found: list[_Line] = []
    for frame in frames:
        engine.receive_data(frame)
        for _ in engine.events():
            found += values
    return found


def _at_end(frames: list[bytes]) -> list[_Line]:
    (block,) = pipelines.engine(frames).final_message.content
    return structure(getattr(block, "input", None), _Table).rows


def _with_jiter(fragments: list[str]) -> Iterator[dict[str, object]]:
    """Parse all text so far again after each fragment, and return the new elements except the last, which may grow."""
    text = b""
    given = 0
    rows: list[dict[str, object]] = []
    for fragment in fragments:
        text += fragment.encode()
        rows = (jiter.from_json(text, partial_mode=True) or {}).get("rows", [])
        yield from rows[given:-1]
        given = max(given, len(rows) - 1)
    yield from rows[given:]


def _with_ijson(fragments: list[str]) -> list[dict[str, object]]:
    """Feed the fragments to a parser written in C, which keeps its state as ours does."""
    found: list[dict[str, object]] = ijson.sendable_list()
    parser = ijson.items_coro(found, "rows.item", use_float=True)
    for fragment in fragments:
        parser.send(fragment.encode())
    return list(found)


def doubled(settings: Settings) -> Row:
    streams = doubled_tables(settings)
    return Row(
        name="values of an array to 4 MB, each when it is complete",
        contestants=[doing(name, partial(_values, stream.frames)) for name, stream in streams.items()],
        targets=[Doubling(2.2, tuple(streams))],
        per="stream",
        most_rounds=7,
    )


def beside(settings: Settings) -> Row:
    text = inputs.tool_input(settings.size(_SIZE, smoke=500))
    stream, fragments = inputs.large_tool_input(text), inputs.fragments_of(text)

    def contestant(name: str, run: Callable[[], list[_Line]] | Callable[[], list[dict[str, object]]]) -> Contestant:
        return Contestant(
            name=name,
            measure=timed(run),
            units=len(fragments),
            result=lambda: [item if isinstance(item, dict) else attrs.asdict(item) for item in run()],
        )

    return Row(
        name="values of an array of 256 KB, each when it is complete",
        contestants=[
            contestant("streamcore", lambda: _values(stream.frames)),
            contestant("parsed at its end", lambda: _at_end(stream.frames)),
            doing("events alone", lambda: pipelines.engine(stream.frames), units=len(fragments)),
            contestant("ijson, bare fragments", lambda: _with_ijson(fragments)),
            contestant("jiter, reparsing", lambda: list(_with_jiter(fragments))),
        ],
        targets=[Faster(40, ("jiter, reparsing",))],
        most_rounds=3,
    )


ROWS: dict[str, RowMaker] = {"values": beside, "values-doubled": doubled}
