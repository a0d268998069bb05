"""What `PartialJSON` does, case by case."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jiter
import pytest

from streamcore.errors import DecodeError, EventOrderError, LimitExceededError, StreamCoreError
from streamcore.partial_json import PartialJSON

if TYPE_CHECKING:
    from collections.abc import Iterator

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"


def fed(*fragments: str, trailing_strings: bool = True, max_depth: int = 200) -> PartialJSON:
    decoder = PartialJSON(trailing_strings=trailing_strings, max_depth=max_depth)
    for fragment in fragments:
        decoder.feed(fragment)
    return decoder


def read_by_character(text: str, **options: Any) -> PartialJSON:
    decoder = PartialJSON(**options)
    for character in text:
        decoder.feed(character)
        _ = decoder.best
    return decoder


def jiter_value(text: str, *, trailing_strings: bool) -> Any:
    try:
        return jiter.from_json(text.encode(), partial_mode="trailing-strings" if trailing_strings else True)
    except ValueError as error:
        if "EOF" not in str(error):
            raise
        return None


@pytest.mark.parametrize("text", ["", " ", "-", "tr", "1.", "1e+", "N", "-Inf", "\n\t"])
def test_value_is_none_while_nothing_has_begun(text: str) -> None:
    assert fed(text).value is None
    assert not fed(text).complete


def test_open_string_counts_as_far_as_it_has_come() -> None:
    assert fed('{"a": "b\\n').value == {"a": "b\n"}


def test_open_string_is_left_out_without_trailing_strings() -> None:
    assert fed('{"a": 1, "b": "c', trailing_strings=False).value == {"a": 1}
    assert fed('"a', trailing_strings=False).value is None


def test_open_string_does_not_hide_the_value_a_repeated_key_had_without_trailing_strings() -> None:
    assert fed('{"a":1,"a":"x', trailing_strings=False).value == {"a": 1}
    assert fed('{"a":1,"a":"x').value == {"a": "x"}


def test_surrogate_pair_cut_anywhere_appears_when_it_is_whole() -> None:
    decoder = PartialJSON()
    seen: list[Any] = []
    for character in '"a\\ud83d\\ude00b"':
        decoder.feed(character)
        seen.append(decoder.value)
    assert seen == ["", "a", *["a"] * 11, "a😀", "a😀b", "a😀b"]


def test_half_of_a_surrogate_pair_can_be_kept() -> None:
    for half in ("\ud83d", "\ude00", "\ude00\ud83d"):
        for pieces in ([f'{{"{half}":"a{half}\\n"}}'], ['{"', half, '":"a', half, "\\n", '"}']):
            decoder = PartialJSON()
            decoder.joins_halves = True
            for piece in pieces:
                decoder.feed(piece)
                _ = decoder.value
            assert decoder.close() == {half: f"a{half}\n"}


def test_number_at_the_top_is_complete_only_when_something_follows_or_at_close() -> None:
    decoder = fed("12")
    assert (decoder.value, decoder.complete) == (12, False)
    decoder.feed("3")
    assert decoder.value == 123
    assert decoder.close() == 123
    assert decoder.complete
    assert fed("1 ").complete


def test_number_keeps_its_type() -> None:
    value = fed("[1,1.0,-0,-0.0,1E2,1e400,-1e400,true,false,null,NaN,Infinity,-Infinity]").close()
    assert repr(value) == "[1, 1.0, 0, -0.0, 100.0, inf, -inf, True, False, None, nan, inf, -inf]"


@pytest.mark.parametrize("read_first", [False, True])
def test_integer_is_exact_whatever_limit_python_has(read_first: bool) -> None:
    digits = "-" + "7" * 4300
    before = sys.get_int_max_str_digits()
    expected = int(digits)
    try:
        sys.set_int_max_str_digits(640)
        decoder = fed("[", digits)
        if read_first:
            assert decoder.value == [expected]
        decoder.feed("]")
        assert decoder.close() == [expected]
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize(
    ("text", "offset"),
    [("7" * 4301, 4300), ("[-" + "7" * 1_000_000, 4302), ("[0." + "7" * 9000 + "]", 4303), ("[1e-" + "0" * 4400, 4304)],
)
def test_number_with_too_many_digits_in_a_row_is_over_the_limit(text: str, offset: int) -> None:
    for decoder in (fed(text), read_by_character(text[: offset + 1])):
        with pytest.raises(LimitExceededError) as caught:
            decoder.close()
        assert caught.value.offset == offset
    assert fed(text[:offset]).error is None


def test_digits_in_a_string_have_no_limit() -> None:
    assert fed(f'["{"7" * 9000}"]').close() == ["7" * 9000]


@pytest.mark.parametrize("opener", ["[", '{"a":'])
def test_value_may_lie_in_200_containers_and_no_more(opener: str) -> None:
    for decode in (fed, read_by_character):
        assert decode(opener * 200 + "1").error is None
        assert decode(opener * 201).error is None  # an empty container lies in 200 others
        error = decode(opener * 201 + "1").error
        assert isinstance(error, LimitExceededError)
        assert error.offset == len(opener) * 201
        jiter.from_json((opener * 201).encode(), partial_mode=True)
        with pytest.raises(ValueError, match="recursion limit"):
            jiter.from_json((opener * 201 + "1").encode(), partial_mode=True)


def test_a_million_open_arrays_are_over_the_limit() -> None:
    decoder = fed("[" * 1_000_000)
    with pytest.raises(LimitExceededError) as caught:
        decoder.close()
    assert caught.value.offset == 201
    assert decoder.best is not None


@pytest.mark.parametrize("deep", ["[" * 40 + "]" * 40, "[" * 201 + "1" + "]" * 201, '{"a":' * 250 + "1" + "}" * 250])
def test_depth_counts_in_a_value_that_a_repeated_key_drops_too(deep: str) -> None:
    text = '{"a":' + deep + ',"a":["' + "[" * 200 + '\\"\\\\"]' + ',"b":[{}]' * 200 + "}"
    whole, piecewise = fed(text), read_by_character(text)
    assert type(whole.error) is type(piecewise.error)
    assert (whole.error is None) == (len(deep) == 80)
    assert whole.best == piecewise.best


def test_depth_counts_between_strings_that_end_in_a_backslash() -> None:
    for string in ('"\\\\"', '"\\\\\\""', '"[\\""'):
        text = f'{{"a":[{string},' + "[" * 220 + "1" + "]" * 220 + f',{string}],"a":1}}'
        assert json.loads(text) == {"a": 1}
        assert isinstance(fed(text).error, LimitExceededError)


def test_depth_limit_is_an_option() -> None:
    for decode in (fed, read_by_character):
        assert decode("[[1]]", max_depth=2).close() == [[1]]
        assert isinstance(decode("[[[1]]]", max_depth=2).error, LimitExceededError)
        assert isinstance(decode("[" * 500 + "1" + "]" * 500, max_depth=500).close(), list)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("[1 2", 3),
        ("[1}", 2),
        ('{"a":1 "b"', 7),
        ("[truex", 5),
        ("[]x", 2),
        ("{} {}", 3),
        ("[1,]", 3),
        ('{"a":1,}', 7),
        ('{"a" 1', 5),
        ("{1", 1),
        ("01", 1),
        ("-x", 1),
        ("1.x", 2),
        ("[1.e", 3),
        ("-Ix", 2),
        ("+1", 0),
        (".5", 0),
        ("tRue", 1),
        ('"\x00', 1),
        ('"a\nb"', 2),
        ('"\\x', 2),
        ('"\\u00g', 5),
        ('"\\ud83dx', 7),
        ('"\\ud83d\\n', 8),
        ('"\\ud83d\\u0041', 9),
        ('"\\ude00"', 4),
        ('"\ud83d', 1),
        ('["a", "\ude00"]', 7),
        ("\ufeff1", 0),
        ("\x0b1", 0),
        ("]", 0),
        ("'a'", 0),
    ],
)
def test_wrong_json_is_an_error_at_the_first_character_that_nothing_can_mend(text: str, offset: int) -> None:
    for decoder in (fed(text), read_by_character(text), fed(text, " more")):
        with pytest.raises(DecodeError) as caught:
            _ = decoder.value
        assert caught.value.offset == offset
        assert isinstance(caught.value.received, str)
        assert fed(text[:offset]).error is None
        assert fed(text[: offset + 1]).error is not None


def test_received_is_the_raw_text() -> None:
    error = fed('{"a":', "oops}").error
    assert error is not None
    assert error.received == '{"a":oops}'
    assert pickle.loads(pickle.dumps(error)).offset == 5


def test_fault_stays_and_the_best_value_before_it_stays_readable() -> None:
    decoder = fed('{"a": [1, "x')
    assert decoder.value == {"a": [1, "x"]}
    decoder.feed("\n")
    decoder.feed('"]}')
    for _ in range(3):
        with pytest.raises(DecodeError) as of_value:
            _ = decoder.value
        with pytest.raises(DecodeError) as of_complete:
            _ = decoder.complete
        with pytest.raises(DecodeError) as of_close:
            decoder.close()
        assert of_value.value is of_complete.value is of_close.value is decoder.error
    assert decoder.best == {"a": [1, "x"]}
    assert decoder.text == '{"a": [1, "x\n"]}'


def test_the_traceback_of_a_fault_does_not_grow_with_each_raise() -> None:
    decoder = fed("[1 2")
    lengths: list[int] = []
    for _ in range(3):
        with pytest.raises(DecodeError) as caught:
            _ = decoder.value
        lengths.append(len(caught.traceback))
    assert lengths[0] == lengths[2]


@pytest.mark.parametrize("text", ["", " ", "[1", '{"a"', "tr", "-", "1.", '"a', "[1,", '"\\ud83d'])
def test_close_refuses_a_text_that_ends_too_soon(text: str) -> None:
    decoder = fed(text)
    best = decoder.best
    for _ in range(2):
        with pytest.raises(DecodeError) as caught:
            decoder.close()
        assert caught.value.offset == len(text)
        assert caught.value.received == text
        assert caught.value is decoder.error
    assert decoder.best == best


def test_close_twice_gives_the_same_and_feeding_after_it_is_refused() -> None:
    decoder = fed("[1]")
    assert decoder.close() is decoder.close()
    with pytest.raises(EventOrderError) as caught:
        decoder.feed("2")
    assert isinstance(caught.value, StreamCoreError)
    assert decoder.value == [1]


def test_line_ends_survive_as_they_came() -> None:
    assert fed("[1,\r", "\n2]\r\n").text == "[1,\r\n2]\r\n"
    assert fed("[1,\r", "\n2]\r\n").close() == [1, 2]


def test_value_once_handed_out_never_changes() -> None:
    decoder = PartialJSON()
    handed_out: list[tuple[Any, Any]] = []
    for character in '{"a": [1, {"b": "xy"}, [[]]], "c": {"d": null}, "a": 2}':
        decoder.feed(character)
        handed_out.append((decoder.value, copy.deepcopy(decoder.value)))
    assert all(value == before for value, before in handed_out)


def test_closed_parts_are_shared_and_open_ones_are_not() -> None:
    decoder = fed('{"done": {"a": [1]}, "open": [[2], 3')
    first = decoder.value
    decoder.feed(", 4")
    later = decoder.value
    assert first["done"] is later["done"]
    assert first["open"][0] is later["open"][0]
    assert first is not later
    assert first["open"] is not later["open"]
    with pytest.raises(TypeError):
        first["open"].append("mine")
    with pytest.raises(TypeError):
        first.update(mine=True)
    decoder.feed("]}")
    assert decoder.close() == {"done": {"a": [1]}, "open": [[2], 3, 4]}
    assert decoder.close() is decoder.value


@pytest.mark.parametrize("trailing_strings", [False, True])
def test_the_same_value_is_given_until_something_is_added_to_it(trailing_strings: bool) -> None:
    decoder = PartialJSON(trailing_strings=trailing_strings)
    before = decoder.value
    for character in '{"a\\n": [1.5, {"b": "x\\ny", "c": ""}, [[]], nul':
        decoder.feed(character)
        after = decoder.value
        if character not in ',]}"':  # these put what was open in its place
            assert (after is before) == (after == before)
        assert decoder.value is after
        before = after


def test_what_was_read_is_not_read_again() -> None:
    elements = [{"i": i, "s": f"text {i}"} for i in range(300)]
    decoder = PartialJSON()
    earlier: list[Any] = []
    for fragment in json.dumps(elements).split("}"):
        decoder.feed(fragment + "}" if fragment != "]" else fragment)
        now = decoder.value
        assert all(a is b for a, b in zip(earlier, now, strict=False))
        earlier = now
    assert earlier == elements


def test_instance_fed_nothing_is_light() -> None:
    decoder = PartialJSON()
    scanner = decoder._scanner
    parts = [decoder, scanner, *(getattr(scanner, name) for name in ("containers", "_keys"))]
    assert sum(map(sys.getsizeof, parts)) < 400
    assert not hasattr(decoder, "__dict__")


def tool_inputs() -> Iterator[list[str]]:
    """The fragments of each block of tool input in the captures."""
    for path in sorted(CAPTURES.glob("*.sse")):
        blocks: dict[Any, list[str]] = {}
        for line in path.read_text(errors="replace").splitlines():
            try:
                event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else None
            except ValueError:
                continue
            if not isinstance(event, dict):
                continue
            if event.get("type") == "message_start":
                yield from blocks.values()
                blocks = {}
            delta = event.get("delta")
            if isinstance(delta, dict) and delta.get("type") == "input_json_delta":
                blocks.setdefault(event.get("index"), []).append(delta.get("partial_json", ""))
        yield from blocks.values()


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded streams are not here")
@pytest.mark.parametrize("trailing_strings", [True, False])
def test_recorded_tool_inputs_equal_jiter_at_every_prefix(trailing_strings: bool) -> None:
    count = 0
    for fragments in tool_inputs():
        text = "".join(fragments)
        pieces = list(text) if len(text) < 2000 else fragments
        decoder = PartialJSON(trailing_strings=trailing_strings)
        so_far = ""
        for piece in pieces:
            decoder.feed(piece)
            so_far += piece
            assert decoder.value == jiter_value(so_far, trailing_strings=trailing_strings)
        count += bool(text)
    assert count > 20


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", None),
        ("1", ()),
        ("1 ", None),
        ('"a', ()),
        ("[", ()),
        ("[1", (0,)),
        ("[1,", ()),
        ("[1,tru", ()),
        ("[1,true", ()),
        ("[1]", None),
        ('{"a', ()),
        ('{"a":', ()),
        ('{"a":"x', ("a",)),
        ('{"a":"x"', ()),
        ('{"a":{"b":[1,[2', ("a", "b", 1, 0)),
        ('{"a":{"b":[1,[2]', ("a", "b")),
        ('{"a":1,"b":2,"a":3', ("a",)),
        ('{"a":[1],"b":2,"a":[', ("a",)),
        ("[1 x", ()),
    ],
)
def test_the_place_of_the_innermost_open_value_is_known(text: str, place: tuple[str | int, ...] | None) -> None:
    whole, by_character = PartialJSON(), PartialJSON()
    whole.feed(text)
    for char in text:
        by_character.feed(char)
        _ = by_character.best
    assert whole.open_path == by_character.open_path == place
