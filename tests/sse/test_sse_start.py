"""Whether a body begins as an event stream does."""

from __future__ import annotations

import pytest

from streamcore.sse import begins_like_a_stream


@pytest.mark.parametrize(
    "begins", [b"event: a", b"data:", b":", b"\xef\xbb\xbf\n\r\nid: 1", b"retry:1", b"data\r\n", b"id\n\n"]
)
def test_beginnings_of_streams(begins: bytes) -> None:
    assert begins_like_a_stream(begins)
    assert all(begins_like_a_stream(begins[:size]) is not False for size in range(len(begins)))


@pytest.mark.parametrize(
    "begins", [b"eventually", b"{", b"<html", b" data:", b"datas\n", b"Error: no", b"[", b"\xef\xbb\xbf{", 1024 * b"\n"]
)
def test_what_is_not_the_beginning_of_a_stream(begins: bytes) -> None:
    assert begins_like_a_stream(begins) is False


@pytest.mark.parametrize("blank", [1010, 1020, 1023, 1024, 1100])
def test_after_many_blank_lines_the_answer_does_not_depend_on_how_the_body_was_cut(blank: int) -> None:
    body = b"\n" * blank + b"data: x\n\n"
    answers = (begins_like_a_stream(body[:size]) for size in range(len(body)))
    assert next(answer for answer in answers if answer is not None) == begins_like_a_stream(body)
