"""Streams of other servers, in `../shared`: each outcome is as expected, however the bytes are cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import drive, in_pieces
from test_against_anthropic import comparable, theirs

import streamcore
from streamcore import DecodeError, IncompleteStreamError, MessageEngine, ProtocolError, RawMessageDecoder
from streamcore.types import ErrorEvent, TextBlock

if TYPE_CHECKING:
    from helpers import Outcome

SHARED = Path(__file__).parents[2] / "shared"
FIELD = sorted((SHARED / "field").glob("*.sse"))
SERVERS = sorted((SHARED / "servers").glob("*.sse"))
SIZES = [1, 2, 7, 100, 1_000_000]

needs_field = pytest.mark.skipif(not FIELD, reason="the streams of ../shared/field are not here")
needs_servers = pytest.mark.skipif(not SERVERS, reason="the streams of ../shared/servers are not here")
each_field_stream = pytest.mark.parametrize("path", FIELD, ids=lambda path: path.stem)


def expected(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHARED / "field" / "expected.json").read_text(encoding="utf-8"))[path.stem]
    return found


def check(outcome: Outcome, engine: MessageEngine, wanted: dict[str, Any]) -> None:
    if wanted["outcome"] == "message":
        assert outcome.error is None
        message = engine.final_message
        said = "".join(block.text for block in message.content if isinstance(block, TextBlock))
        assert said == wanted.get("text", said)
        assert message.stop_reason == wanted.get("stop_reason", message.stop_reason)
        if "input" in wanted:
            assert wanted["input"] in [getattr(block, "input", None) for block in message.content]
        for name, count in wanted.get("usage", {}).items():
            assert getattr(message.usage, name) == count
    elif wanted["outcome"] == "error":
        assert isinstance(outcome.error, getattr(streamcore, wanted["class"]))
    else:
        (error,) = [event for event in outcome.events if isinstance(event, ErrorEvent)]
        assert wanted["message_has"] in error.error.message
        assert error.error.type == wanted.get("error_type", error.error.type)
    if "violations" in wanted:
        assert bool(outcome.violations) == wanted["violations"]


@needs_field
@each_field_stream
def test_a_stream_of_the_field_ends_as_expected(path: Path) -> None:
    data, wanted = path.read_bytes(), expected(path)
    seen = []
    for size in SIZES:
        engine = MessageEngine()
        outcome = drive(in_pieces(data, size), engine=engine)
        check(outcome, engine, wanted)
        seen.append(outcome.comparable())
    assert all(outcome == seen[0] for outcome in seen)


@needs_field
@each_field_stream
def test_a_stream_of_the_field_ends_as_expected_in_strict_mode(path: Path) -> None:
    wanted = expected(path)
    for size in SIZES:
        engine = MessageEngine(strict=True)
        outcome = drive(in_pieces(path.read_bytes(), size), engine=engine)
        if wanted.get("strict") == "raises":
            assert isinstance(outcome.error, ProtocolError)
        else:
            check(outcome, engine, wanted)


@needs_field
@each_field_stream
def test_a_stream_of_the_field_ends_as_expected_if_wrong_json_is_kept(path: Path) -> None:
    wanted = expected(path)
    for size in SIZES:
        engine = MessageEngine(invalid_json="keep")
        check(drive(in_pieces(path.read_bytes(), size), engine=engine), engine, wanted.get("keep", wanted))


@needs_servers
@pytest.mark.parametrize("path", SERVERS, ids=lambda path: path.stem)
def test_a_stream_of_a_server_gives_a_message_or_an_error_that_says_why(path: Path) -> None:
    data = path.read_bytes()
    seen = []
    for size in SIZES:
        engine = MessageEngine()
        outcome = drive(in_pieces(data, size), engine=engine)
        assert outcome.error is not None or engine.complete
        seen.append(outcome.comparable())
        if isinstance(outcome.error, IncompleteStreamError):
            for event in outcome.events:
                if isinstance(event, ErrorEvent):
                    assert event.error.message in outcome.error.message
    assert all(outcome == seen[0] for outcome in seen)


# The streams that end in an error: its class, and words that say what the server or its upstream did.
FAULTY = {
    "a2o__cut": (IncompleteStreamError, "peer closed connection"),
    "a2o__toolbad": (DecodeError, "'get_weather' is not valid JSON"),
    "aimock__cutnodone": (IncompleteStreamError, "message_stop has not come"),
    "ccr__cut": (IncompleteStreamError, "message_stop has not come, inside block 0"),
    "ccr__toolbad": (DecodeError, "'get_weather' is not valid JSON"),
    "litellm-mock__text": (DecodeError, "not an event stream"),
    "litellm__cut": (IncompleteStreamError, "payload is not completed"),
    "litellm__errmid": (IncompleteStreamError, "The server had an error"),
    "litellm__interleaved": (DecodeError, "'get_weather' is not valid JSON"),
    "litellm__toolbad": (DecodeError, "'get_weather' is not valid JSON"),
    "llmock-disconnect__text": (IncompleteStreamError, "message_stop has not come, inside block 0"),
    "llmock-malformed__text": (DecodeError, "not JSON"),
    "llmock-truncate__text": (IncompleteStreamError, "message_stop has not come"),
}


@needs_servers
@pytest.mark.parametrize("path", SERVERS, ids=lambda path: path.stem)
def test_a_stream_of_a_server_gives_the_message_of_the_official_client_or_an_error_with_the_cause(path: Path) -> None:
    outcome, official = drive(path.read_bytes()), theirs(path.read_bytes())
    if path.stem in FAULTY:
        error, words = FAULTY[path.stem]
        assert type(outcome.error) is error
        assert words in str(outcome.error).replace("Payload", "payload")
        return
    assert outcome.error is None
    assert outcome.snapshot is not None
    if official.error is not None:  # it raises when an error comes, also if the message is complete
        assert path.stem == "ccr__errmid"
        (event,) = [event for event in outcome.events if isinstance(event, ErrorEvent)]
        assert "The server had an error" in event.error.message
        return
    joined = json.dumps(comparable(official.message), ensure_ascii=False)
    expected = json.loads(joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le"))
    assert comparable(outcome.snapshot.to_dict()) == expected


@needs_servers
@pytest.mark.parametrize("path", [*FIELD, *SERVERS], ids=lambda path: path.stem)
def test_a_decoder_without_a_message_gives_the_events_that_the_engine_gives(path: Path) -> None:
    outcome = drive(path.read_bytes())
    decoder = RawMessageDecoder()
    decoder.receive_data(path.read_bytes())
    decoder.receive_eof()
    types = []
    try:
        for event in decoder.events():
            types.append(event.type)
    except ProtocolError:
        pass
    assert types[: len(outcome.types)] == outcome.types or outcome.types[: len(types)] == types
