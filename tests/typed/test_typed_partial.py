"""Partial views: what there is of an instance while it is written."""

from __future__ import annotations

import copy
import datetime
import enum
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

import attrs
import msgspec
import pydantic
import pytest
from helpers import (
    STOP,
    block_start,
    block_stop,
    body,
    by_frame,
    message_delta,
    partial_json,
    start,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import MessageEngine, MessageStream, PartialJSON
from streamcore.typed import MISSING, Partial, UnsupportedTypeError, structure
from streamcore.typed.partial import Edge, MadeValues, partial_value
from streamcore.typed.shapes import shape_of


class Color(enum.Enum):
    RED = "red"
    REDDISH = "reddish"


@attrs.frozen
class Author:
    name: str
    born: datetime.date | None = None


@dataclass
class Edit:
    line: int
    text: str = ""


class Insert(msgspec.Struct, tag="insert", rename="camel"):
    new_text: str


class Delete(msgspec.Struct, tag="delete"):
    count: int


class Note(TypedDict):
    body: str
    author: NotRequired[Author]


class Item(pydantic.BaseModel):
    label: str = pydantic.Field(alias="itemLabel")


@attrs.frozen
class Report:
    title: str
    author: Author
    edits: list[Edit]
    color: Color
    score: float
    change: Insert | Delete | None
    note: Note
    by_name: dict[str, Edit]
    pair: tuple[int, str]
    kind: Literal["a", "ab"]
    items: list[Item]
    free: Any


VALUE: dict[str, Any] = {
    "title": 'T"1',
    "author": {"name": "Ann", "born": "1970-01-01"},
    "edits": [{"line": 1, "text": "x"}, {"line": 23, "text": "y"}],
    "color": "reddish",
    "score": 12.5,
    "change": {"type": "insert", "newText": "new"},
    "note": {"body": "b", "author": {"name": "Bob"}},
    "by_name": {"k": {"line": 4}},
    "pair": [5, "five"],
    "kind": "ab",
    "items": [{"itemLabel": "l"}],
    "free": {"any": [1]},
}
TEXT = json.dumps(VALUE)


def view_of(content: str) -> Any:
    json_so_far = PartialJSON()
    json_so_far.feed(content)
    value = json_so_far.best
    edge = Edge(json_so_far.open_path)
    return partial_value({} if value is None else value, Report, edge, {})


def so_far(until: str) -> Any:
    """The view of the report up to and with the first `until` in its text."""
    return view_of(TEXT[: TEXT.index(until) + len(until)])


def test_what_has_not_come_is_missing() -> None:
    view = view_of("")
    for field in attrs.fields(Report):
        assert getattr(view, field.name) is MISSING
    assert not view.title


def test_an_open_string_is_there_as_far_as_it_has_come() -> None:
    assert so_far('"T\\').title == "T"
    assert so_far('"A').author.name == "A"
    assert so_far('"A').author.born is MISSING
    assert so_far('"newText": "n').change.new_text == "n"


def test_what_may_still_become_another_value_is_missing() -> None:
    assert so_far('"born": "1970-01-0').author.born is MISSING
    assert so_far('"born": "1970-01-01').author.born is MISSING
    assert so_far('"born": "1970-01-01"').author.born == datetime.date(1970, 1, 1)
    assert so_far('"line": 2').edits[1].line is MISSING
    assert so_far('"line": 23').edits[1].line is MISSING
    assert so_far('"line": 23,').edits[1].line == 23
    assert so_far('"color": "red').color is MISSING
    assert so_far('"color": "reddish"').color is Color.REDDISH
    assert so_far('"score": 12.5').score is MISSING
    assert so_far('"score": 12.5,').score == 12.5
    assert so_far('"kind": "a').kind is MISSING
    assert so_far('"kind": "ab"').kind == "ab"


def test_classes_in_classes_are_views() -> None:
    view = view_of(TEXT)
    assert type(view) is Partial
    assert view.author.name == "Ann"
    assert [edit.line for edit in view.edits] == [1, 23]
    assert view.change.new_text == "new"
    assert view.note["body"] == "b"
    assert view.note["author"].name == "Bob"
    assert view.by_name["k"].line == 4
    assert view.pair == [5, "five"]
    assert view.items[0].label == "l"
    assert view.free == {"any": [1]}


def test_a_typed_dict_has_the_members_that_have_come() -> None:
    assert so_far('"note": {').note == {}
    assert so_far('"body": "b"').note == {"body": "b"}


def test_a_union_is_the_member_that_it_can_become() -> None:
    assert so_far('"change": {"type": "ins').change is MISSING
    assert so_far('"change": {').change is MISSING
    assert isinstance(so_far('"insert"').change, Insert)
    assert view_of(TEXT.replace('"insert", "newText": "new"', '"delete", "count": 7')).change.count == 7
    assert view_of('{"change": null}').change is None


def test_a_view_is_like_an_instance() -> None:
    view = view_of(TEXT)
    assert isinstance(view, Report)
    assert isinstance(view, Partial)
    match view:
        case Report(title=title, author=Author(name=name)):
            assert (title, name) == ('T"1', "Ann")
        case _:
            raise AssertionError
    assert repr(so_far('"A')) == (
        "Partial(Report(title='T\"1', author=Partial(Author(name='A', born=MISSING)), edits=MISSING, color=MISSING, "
        "score=MISSING, change=MISSING, note=MISSING, by_name=MISSING, pair=MISSING, kind=MISSING, items=MISSING, "
        "free=MISSING))"
    )
    with pytest.raises(AttributeError, match="Report has no field 'tittle'"):
        _ = view.tittle
    with pytest.raises(AttributeError, match="cannot be changed"):
        view.title = "other"
    with pytest.raises(AttributeError, match="cannot be changed"):
        del view.title


def test_views_are_values() -> None:
    view, same, other = so_far('"A'), so_far('"A'), so_far('"An')
    assert view == same
    assert view != other
    assert view != "A"
    assert copy.copy(view) == view
    assert copy.deepcopy(view) == view
    assert pickle.loads(pickle.dumps(view)) == view
    assert pickle.loads(pickle.dumps(view)).edits is MISSING


def _subset(view: Any, final: Any) -> bool:
    """Whether all that a view has is what the instance has, or for a string the beginning of it."""
    if view is MISSING:
        return True
    if type(view) is Partial:
        shape: Any = shape_of(type(final))
        return all(_subset(getattr(view, field.name), getattr(final, field.name)) for field in shape.fields)
    if isinstance(view, dict) and isinstance(final, dict):
        return all(_subset(item, final[key]) for key, item in view.items())
    if isinstance(view, list):
        return len(view) <= len(final) and all(_subset(*pair) for pair in zip(view, final, strict=False))
    if isinstance(view, str) and isinstance(final, str):
        return final.startswith(view)
    return bool(view == final)


_VALUES = st.builds(
    lambda **members: {**VALUE, **members},
    title=st.text(max_size=5),
    author=st.fixed_dictionaries(
        {"name": st.text(max_size=3)}, optional={"born": st.dates().map(datetime.date.isoformat)}
    ),
    edits=st.lists(st.fixed_dictionaries({"line": st.integers()}, optional={"text": st.text(max_size=3)}), max_size=3),
    color=st.sampled_from(["red", "reddish"]),
    score=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    change=st.none() | st.builds(lambda count: {"type": "delete", "count": count}, st.integers()),
    kind=st.sampled_from(["a", "ab"]),
)


@given(_VALUES, st.randoms(use_true_random=False))
def test_nothing_that_was_there_is_ever_taken_back(value: dict[str, Any], random: Any) -> None:
    members = list(value.items())
    random.shuffle(members)
    content = json.dumps(dict(members))
    final = structure(value, Report)
    json_so_far = PartialJSON()
    for char in content:
        json_so_far.feed(char)
        value_so_far = json_so_far.best
        if value_so_far is not None:
            assert _subset(partial_value(value_so_far, Report, Edge(json_so_far.open_path), {}), final)
    whole = partial_value(json_so_far.best, Report, Edge(json_so_far.open_path), {})
    assert whole.title == final.title
    assert whole.score == final.score
    assert len(whole.edits) == len(final.edits)


# On streams and engines


def stream_of(content: str, *, tool: str | None = None) -> bytes:
    block = block_start(0) if tool is None else tool_start(0, tool)
    deltas = [text(0, char) if tool is None else partial_json(0, char) for char in content]
    return body(start(), block, *deltas, block_stop(0), message_delta(), STOP)


@attrs.frozen
class Short:
    title: str
    count: int = 0


@pytest.mark.parametrize("tool", [None, "write"])
def test_a_stream_shows_what_there_is(tool: str | None) -> None:
    sent = stream_of('{"title": "abc", "count": 12}', tool=tool)
    stream: MessageStream[Any] = (
        MessageStream(by_frame(sent), output_format=Short)
        if tool is None
        else MessageStream([sent], tool_types={"write": Short})
    )
    titles, counts = [], []
    before = stream.partial(Short)
    for _ in stream:
        view = stream.partial(Short)
        titles.append(view.title)
        counts.append(view.count)
    assert list(dict.fromkeys(titles)) == [MISSING, "", "a", "ab", "abc"]
    assert list(dict.fromkeys(counts)) == [MISSING, 12]
    assert before.title is MISSING


def test_views_of_the_past_do_not_change() -> None:
    engine = MessageEngine()
    engine.receive_data(stream_of('{"title": "abc", "count": 12}'))
    views = [engine.partial(Short) for _ in engine.events()]
    assert [view.title for view in views if view.title][:3] == ["a", "a", "ab"] or views[-1].title == "abc"
    assert views[3].title is MISSING
    assert views[-1] == engine.partial(Short)


def test_the_latest_block_of_the_type_is_shown() -> None:
    blocks = [block_start(0), text(0, "Well:"), block_stop(0)]
    for index, name in ((1, "short"), (2, "other"), (3, "short")):
        blocks += [tool_start(index, name), partial_json(index, f'{{"title": "t{index}"'), partial_json(index, "}")]
        blocks += [block_stop(index)]
    sent = body(start(), *blocks, message_delta("tool_use"), STOP)
    stream = MessageStream([sent], tool_types={"short": Short})
    titles = []
    for _ in stream:
        titles.append(stream.partial(Short).title)
    assert list(dict.fromkeys(titles)) == [MISSING, "t1", "t3"]
    assert stream.partial(Short, block=2).title == "t2"
    assert stream.partial(Short, tool="other").title == "t2"
    assert stream.partial(Short, block=0).title is MISSING


def test_the_arguments_of_a_function_are_shown() -> None:
    def write(title: str, count: int = 0) -> None:
        pass

    stream = MessageStream([stream_of('{"title": "abc"}', tool="write")], tool_types=[write])
    stream.until_done()
    view = stream.partial(write)
    assert view.title == "abc"
    assert view.count is MISSING


def test_other_types_than_classes_are_shown_as_what_they_are() -> None:
    stream = MessageStream([stream_of('[{"title": "a"}, {"title": "b"')], output_format=list[Short], on_invalid="keep")
    assert stream.partial(list[Short]) is MISSING
    stream.until_done()
    assert [view.title for view in stream.partial(list[Short])] == ["a", "b"]
    number = MessageStream([stream_of("12")], output_format=int)
    for event in number:
        if event.type == "text":
            assert number.partial(int) is MISSING
    assert number.partial(int) == 12


def test_what_is_no_type_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError):
        MessageStream([b""]).partial(complex)


def test_text_that_is_no_json_shows_what_there_was_before() -> None:
    stream = MessageStream([stream_of('{"title": "a"} and then')])
    stream.until_done()
    assert stream.partial(Short).title == "a"
    prose = MessageStream([stream_of("Well: no.")])
    prose.until_done()
    assert prose.partial(Short).title is MISSING


def test_what_is_complete_is_made_once_for_all_views(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = Partial.__init__

    def counting(self: Any, *arguments: Any) -> None:
        made.append(arguments)
        make(self, *arguments)

    monkeypatch.setattr(Partial, "__init__", counting)
    count = 200
    stream = MessageStream([stream_of(json.dumps([{"title": "a"}] * count))], output_format=list[Short])
    reads = 0
    for _ in stream:
        stream.partial(list[Short])
        reads += 1
    assert reads > count
    assert len(made) <= count + reads
    assert stream.partial(list[Short])[0] is stream.partial(list[Short])[0]


Visits: TypeAlias = Callable[[list[str], Callable[[MessageEngine], Any]], int]


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> Visits:
    """Count the values that are visited while a text comes in pieces and is read after each."""
    from streamcore.typed import partial as module

    count = 0
    visit = module.partial_value

    def counted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return visit(*arguments)

    def visits_of(pieces: list[str], read: Callable[[MessageEngine], Any]) -> int:
        nonlocal count
        engine: MessageEngine = MessageEngine()
        engine.receive_data(body(start(), tool_start(0), *[partial_json(0, piece) for piece in pieces]))
        count = 0
        for _ in engine.events():
            read(engine)
        return count

    monkeypatch.setattr(module, "partial_value", counted)
    return visits_of


def test_an_item_that_is_complete_is_visited_once_however_often_its_array_is_read(visits: Visits) -> None:
    def work(count: int) -> int:
        pieces = list(json.dumps([{"n": number} for number in range(count)]))
        return visits(pieces, lambda engine: engine.partial(list[dict[str, int]]))

    assert work(200) < 2.2 * work(100)


class Opened(TypedDict):
    days: NotRequired[int]
    names: NotRequired[list[str]]
    x: NotRequired[int]


def partials_of(content: str, annotation: Any) -> list[Any]:
    """What `partial` shows after each character of a text, without repetitions."""
    engine = MessageEngine()
    engine.receive_data(body(start(), tool_start(0), *[partial_json(0, char) for char in content]))
    shown = [copy.copy(engine.partial(annotation)) for _ in engine.events()]
    return [view for number, view in enumerate(shown) if not number or view != shown[number - 1]]


@pytest.mark.parametrize("annotation", [Opened, dict[str, int | list[str]]])
def test_a_second_value_of_a_key_is_open_until_it_is_complete(annotation: Any) -> None:
    numbers = partials_of('{"days":1,"x":2,"days":123,"x":45}', annotation)
    certain = [{"days": 1}, {"days": 1, "x": 2}, {"x": 2}, {"days": 123, "x": 2}, {"days": 123}]
    assert numbers[-6:] == [*certain, {"days": 123, "x": 45}]
    arrays = partials_of('{"names":["a"],"x":2,"names":["b","cd"]}', annotation)
    assert arrays[-4:] == [{"names": names, "x": 2} for names in (["b"], ["b", ""], ["b", "c"], ["b", "cd"])]


def test_a_second_value_of_a_field_is_open_until_it_is_complete() -> None:
    engine = MessageEngine()
    content = '{"count":1,"title":"t","count":123,"title":"uv"}'
    engine.receive_data(body(start(), tool_start(0), *[partial_json(0, char) for char in content]))
    views = [engine.partial(Short) for _ in engine.events()]
    assert list(dict.fromkeys((view.title, view.count) for view in views)) == [
        (MISSING, MISSING),
        (MISSING, 1),
        ("", 1),
        ("t", 1),
        ("t", MISSING),
        ("t", 123),
        ("", 123),
        ("u", 123),
        ("uv", 123),
    ]


@attrs.frozen
class Wide:
    edits: list[int]
    title: str = ""


def test_what_is_kept_does_not_grow_with_the_reads_of_an_open_second_value() -> None:
    """Reads of an array that grows keep one copy of it, not one for each read."""

    def kept(count: int) -> int:
        json_so_far, made = PartialJSON(), MadeValues()
        for piece in ['{"edits":[0],"title":"t","edits":[0', *[",1"] * count]:
            json_so_far.feed(piece)
            view = partial_value(json_so_far.best, Wide, Edge(json_so_far.open_path), made)
            assert len(view.edits) <= count + 1
        return sum(len(part) for entry in made.values() for part in entry if isinstance(part, list))

    assert kept(100) < 2.2 * kept(50)


@attrs.frozen
class Maps:
    by_name: dict[str, Edit]
    counts: dict[str, int]
    dates: dict[str, datetime.date]
    notes: dict[str, Note]


@pytest.mark.parametrize("again", [False, True], ids=["new keys", "a long second value of the first key"])
@pytest.mark.parametrize(
    ("name", "member"),
    [("by_name", '{"line":1}'), ("counts", "1"), ("dates", '"1970-01-01"'), ("notes", '{"body":""}')],
)
def test_a_member_that_is_complete_is_visited_once_however_often_its_object_is_read(
    name: str, member: str, again: bool, visits: Visits
) -> None:
    def work(count: int) -> int:
        pieces = [f'{{"{name}":{{', *[f'"k{number}":{member},' for number in range(count)]]
        if again:
            pieces += ['"k0":"', *["x"] * count]
        found: list[Any] = []
        visited = visits(pieces, lambda engine: found.append(getattr(engine.partial(Maps), name)))
        assert list(found[-1]) == [f"k{number}" for number in range(again, count)]
        return visited

    assert work(100) < 2.2 * work(50)


@attrs.frozen
class Tree:
    items: list[int | Tree]


def test_items_of_open_arrays_in_each_other_are_visited_once(visits: Visits) -> None:
    """Arrays of one type that begin alike, each open inside the one before."""

    def work(count: int) -> int:
        opened = ['{"items":[1', *[",1"] * count]
        return visits([*opened, ",", *opened], lambda engine: open_items(engine.partial(Tree)))

    def open_items(tree: Any) -> Any:
        last = tree.items[-1] if tree.items else None
        return open_items(last) if isinstance(last, Tree) else last

    assert work(100) < 2.2 * work(50)


def test_a_member_of_an_open_object_is_the_same_object_at_each_read() -> None:
    engine = MessageEngine()
    content = '{"by_name":{"a":{"line":1},"b":{"line":2},"c":{"line":3'
    engine.receive_data(body(start(), tool_start(0), *[partial_json(0, char) for char in content]))
    views = [engine.partial(Maps).by_name for _ in engine.events()]
    last = views[-1]
    assert {id(view["a"]) for view in views if view and "b" in view} == {id(last["a"])}
    del last["a"]  # a copy, which belongs to the reader
    assert engine.partial(Maps).by_name["a"].line == 1


_Scalar = int | Literal["a", "ab"] | None
_Inner = _Scalar | list[_Scalar] | dict[str, _Scalar]


@attrs.frozen
class Anyhow:
    a: list[_Inner]
    b: dict[str, _Inner]
    c: _Scalar


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.builds("{}:{}".format, st.sampled_from(['"a"', '"b"', '"c"']), values)  # keys may come twice
    return st.lists(members, max_size=5).map(lambda found: f"{{{','.join(found)}}}")


_DOCUMENTS = st.recursive(
    st.sampled_from(["1", "12", '"a"', '"ab"', "null"]),
    lambda values: st.lists(values, max_size=5).map(lambda found: f"[{','.join(found)}]") | _objects(values),
    max_leaves=15,
)


@given(_DOCUMENTS)
def test_what_is_kept_between_reads_changes_nothing_that_they_show(content: str) -> None:
    json_so_far = PartialJSON()
    made: dict[Any, MadeValues] = {}
    views: list[tuple[Any, Any]] = []
    for char in content:
        json_so_far.feed(char)
        for annotation in (Anyhow, dict[str, _Inner | Anyhow], list[_Inner | Anyhow]):
            value, edge = json_so_far.best, Edge(json_so_far.open_path)
            kept = made.setdefault(str(annotation), {})
            view, fresh = (partial_value(value, annotation, edge, known) for known in (kept, {}))
            assert view == fresh
            views.append((view, fresh))
    for view, fresh in views:  # earlier ones again
        assert view == fresh


def test_arrays_that_begin_alike_are_told_apart() -> None:
    content = '{"a": [1, 2], "b": [1, 3, 4], "c": [1]}'
    engine = MessageEngine()
    engine.receive_data(stream_of(content))
    list(engine.events())
    assert engine.partial(dict[str, list[int]]) == json.loads(content)  # read once, all of them at a time
