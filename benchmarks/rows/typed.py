"""The elements of an array in a tool's input, each as soon as it is complete, from fragments of 20 characters.

Ours are instances of a class, on an engine, the work of which is in the figure: that of the same engine without a view
stands beside it. The others get the bare fragments and give dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import ijson  # type: ignore[import-untyped]  # it has no types
import jiter

from benchmarks import inputs
from benchmarks.harness import Contestant, Row, timed
from benchmarks.rows.settings import RowMaker, Settings, doing
from benchmarks.targets import Doubling, Faster
from streamcore import MessageEngine
from streamcore.typed import structure

__all__ = ["ROWS"]

_SIZE = 256 * 1024
_LARGEST = 4 * 1024 * 1024


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


def _events(frames: list[bytes]) -> MessageEngine:
    engine = MessageEngine()
    for frame in frames:
        engine.receive_data(frame)
        for _ in engine.events():
            pass
    return engine


def _at_end(frames: list[bytes]) -> list[_Line]:
    (block,) = _events(frames).final_message.content
    return structure(getattr(block, "input", None), _Table).rows


def _with_jiter(fragments: list[str]) -> Iterator[dict[str, object]]:
    """All of the text parsed anew after each fragment, as far as it is known to be whole: all items but the last."""
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
    """A parser that is pushed, as ours is. It is written in C."""
    found: list[dict[str, object]] = ijson.sendable_list()
    parser = ijson.items_coro(found, "rows.item", use_float=True)
    for fragment in fragments:
        parser.send(fragment.encode())
    return list(found)


def doubled(settings: Settings) -> Row:
    sizes = [_SIZE << doublings for doublings in range((_LARGEST // _SIZE).bit_length())]
    streams = {
        f"{size // 1024} KB": inputs.large_tool_input(inputs.tool_input(settings.size(size, smoke=size // 1024)))
        for size in sizes
    }

    def contestant(name: str, frames: list[bytes]) -> Contestant:
        return doing(name, lambda: _values(frames))

    return Row(
        name="values of an array to 4 MB, each when it is complete",
        contestants=[contestant(name, stream.frames) for name, stream in streams.items()],
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
            doing("events alone", lambda: _events(stream.frames), units=len(fragments)),
            contestant("ijson, bare fragments", lambda: _with_ijson(fragments)),
            contestant("jiter, reparsing", lambda: list(_with_jiter(fragments))),
        ],
        targets=[Faster(40, ("jiter, reparsing",))],
        most_rounds=3,
    )


ROWS: dict[str, RowMaker] = {"values": beside, "values-doubled": doubled}
