"""`check_accumulator`: test a function that makes a message from the bytes of a stream.

```python
from streamcore.testing import check_accumulator


def accumulate(chunks):
    accumulator = TheirAccumulator()
    for chunk in chunks:
        accumulator.feed(chunk)
    return accumulator.message()  # a dict, or an object with to_dict() or model_dump()


def test_accumulator():
    check_accumulator(accumulate, skip=["interleaved"], max_examples=20)
```

For a whole stream it must return the message, for a broken one it must raise an exception. The streams come aspect by
aspect, plain ones first; see `streamcore.testing.ASPECTS`. The first disagreement is shrunk to the shortest stream that
shows it, written to a file that any tool can replay, and raised as a `Disagreement`; `find_disagreements` goes on and
returns one for each aspect.

Needs the extra `testing`.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from streamcore.errors import StreamCoreError, shortened
from streamcore.testing._aspects import ASPECTS, Sample, chosen_aspects
from streamcore.testing._broken import BrokenStream
from streamcore.testing.differences import ABSENT, differences_of
from streamcore.testing.model import without_nulls

__all__ = ["ASPECTS", "Accumulate", "Disagreement", "check_accumulator", "find_disagreements"]

Accumulate: TypeAlias = Callable[[Iterable[bytes]], Any]
"""Makes a message from the chunks of a stream: a mapping, or an object that has `to_dict()` or `model_dump()`."""

_SHOWN = 4000
_LONGEST_VALUE = 200


class Disagreement(StreamCoreError, AssertionError):
    """An accumulator is wrong about a stream.

    Attributes:
        aspect: The name of the aspect of the stream.
        difference: What the accumulator did wrong.
        sample: The stream and what it means. It is the shortest that was found.
        path: The capture file with the stream: its bytes (`.sse`), or its chunks if one chunk does not show the
            disagreement (`.jsonl`).
    """

    aspect: str
    difference: str
    sample: Sample
    path: Path

    def __init__(self, aspect: str, difference: str, sample: Sample, path: Path) -> None:
        super().__init__(aspect, difference, sample, path)
        self.aspect = aspect
        self.difference = difference
        self.sample = sample
        self.path = path

    def __str__(self) -> str:
        sizes = ", ".join(str(len(chunk)) for chunk in self.sample.chunks[:20])
        more = ", ..." if len(self.sample.chunks) > 20 else ""
        shown = self.sample.data[:_SHOWN].decode("utf-8", "backslashreplace").replace("\r", "\\r")
        return (
            f"{self.aspect} ({ASPECTS[self.aspect]}): {self.difference}\n"
            f"The stream has {len(self.sample.data)} bytes, came in chunks of {sizes or 'no'}{more} bytes, and is in "
            f"{self.path}:\n{shown}"
        )


class CheckOptions(TypedDict, total=False):
    """The options of `check_accumulator()`, which describes them."""

    aspects: Collection[str] | None
    skip: Collection[str]
    max_examples: int
    seed: int
    directory: Path | str | None


def check_accumulator(accumulate: Accumulate, **options: Unpack[CheckOptions]) -> None:
    """Test an accumulator on streams whose message is known.

    Args:
        accumulate: Makes a message from chunks. It is called many times and must not keep state between calls.
        **options: `aspects`, the aspects to try, by default all of `ASPECTS`; `skip`, those to leave out because the
            accumulator does not claim to support them; `max_examples`, how many streams are tried for each aspect (by
            default 100); `seed`, where the same one gives the same streams; `directory`, for the capture file (by
            default a new temporary one).

    Raises:
        Disagreement: The first that was found, with its stream shrunk.
        ValueError: An aspect is unknown.
    """
    for found in _disagreements(accumulate, **options):
        raise found


def find_disagreements(accumulate: Accumulate, **options: Unpack[CheckOptions]) -> list[Disagreement]:
    """Return one disagreement for each aspect that has one; the arguments are those of `check_accumulator`."""
    return list(_disagreements(accumulate, **options))


def _disagreements(
    accumulate: Accumulate,
    *,
    aspects: Collection[str] | None = None,
    skip: Collection[str] = (),
    max_examples: int = 100,
    seed: int = 0,
    directory: Path | str | None = None,
) -> Iterable[Disagreement]:
    for aspect, samples in chosen_aspects(aspects, skip).items():
        sample = _worst(accumulate, samples, max_examples, seed)
        if sample is not None:
            folder = Path(tempfile.mkdtemp(prefix="streamcore-") if directory is None else directory)
            folder.mkdir(parents=True, exist_ok=True)
            sample = _fewest_chunks(accumulate, sample)
            path = _written(sample, folder / aspect)
            # An accumulator that keeps state between calls may be right about the same stream this time.
            difference = _difference(accumulate, sample) or "it comes and goes"
            yield Disagreement(aspect, difference, sample, path)


def _worst(accumulate: Accumulate, samples: SearchStrategy[Any], max_examples: int, seed: int) -> Sample | None:
    """Find the shortest stream for which `accumulate` is wrong."""
    options = settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        verbosity=Verbosity.quiet,
    )
    try:
        sample: Sample = find(
            samples,
            lambda sample: _difference(accumulate, sample) is not None,
            settings=options,
            random=random.Random(seed),  # noqa: S311  # nothing secret
        )
    except NoSuchExample:
        return None
    return sample


def _fewest_chunks(accumulate: Accumulate, sample: Sample) -> Sample:
    """Join chunks as long as `accumulate` is still wrong."""
    chunks = list(sample.chunks)
    for number in range(len(chunks) - 1, 0, -1):
        fewer = [*chunks[: number - 1], chunks[number - 1] + chunks[number], *chunks[number + 1 :]]
        if _difference(accumulate, attrs.evolve(sample, chunks=fewer)) is not None:
            chunks = fewer
    return attrs.evolve(sample, chunks=chunks)


def _written(sample: Sample, stem: Path) -> Path:
    """Write the stream to a file: only its bytes, or its chunks if it needs several."""
    if len(sample.chunks) <= 1:
        path = stem.with_suffix(".sse")
        path.write_bytes(sample.data)
        return path
    # Imported late: without a disagreement, nothing is written.
    from streamcore.replay import Capture, Chunk, write_captures

    path = stem.with_suffix(".jsonl")
    write_captures(path, [Capture(body=[Chunk(time=0.0, data=chunk) for chunk in sample.chunks])])
    return path


# The differences


def _difference(accumulate: Accumulate, sample: Sample) -> str | None:
    """Return the fault in the result of `accumulate` for a stream, in words, or None."""
    if isinstance(sample, BrokenStream):
        must_raise, may_raise = sample.error is not None, sample.strict_error is not None
    else:
        must_raise = may_raise = False
    try:
        found = _as_json(accumulate(iter(sample.chunks)))
    except Exception as error:  # noqa: BLE001  # it may raise any exception
        if may_raise:
            return None
        return f"raised {type(error).__name__} ({error}), and nothing is wrong with the stream"
    if isinstance(sample, BrokenStream) and sample.comes_too_late and sample.message is not None:
        must_raise = _first_difference(sample.message.to_dict(), found) is not None
    if must_raise:
        return f"returned as if complete, and the stream is broken: {_shown(found)}"
    assert sample.message is not None
    return _first_difference(sample.message.to_dict(), found)


def _as_json(found: Any) -> Any:
    for name, options in (("to_dict", {}), ("model_dump", {"mode": "json", "by_alias": True})):
        method = getattr(found, name, None)
        if method is not None:
            return method(**options)
    return dict(found) if isinstance(found, Mapping) else found


def _shown(value: Any) -> str:
    return "nothing" if value is ABSENT else shortened(repr(value), _LONGEST_VALUE)


def _first_difference(expected: Any, found: Any) -> str | None:
    """Describe the first place where `found` differs. Null and absent are the same, except in a tool's input."""
    for place in differences_of(without_nulls(expected), without_nulls(found)):
        if place.left == place.right and not isinstance(place.left, bool) and not isinstance(place.right, bool):
            continue  # 1 and 1.0
        wanted, got = (
            "nothing" if value is ABSENT else shortened(repr(value), _LONGEST_VALUE)
            for value in (place.left, place.right)
        )
        return f"{place.path or 'the message'} is {got}, and should be {wanted}"
    return None
