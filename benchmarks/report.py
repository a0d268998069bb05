"""What was measured, as a table."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pyperf  # type: ignore[import-untyped]

from benchmarks.harness import Measured

_PACKAGES = (
    "anthropic",
    "msgspec",
    "orjson",
    "jiter",
    "httpx2",
    "httpx-sse",
    "sseclient-py",
    "aiohttp-sse-client",
    "partial-json-parser",
)


def machine() -> str:
    """On what it was measured, in one line."""
    metadata = pyperf.Run([1.0]).get_metadata()
    cpu = metadata.get("cpu_model_name", platform.machine())
    return f"Python {platform.python_version()}, {platform.system()}, {metadata.get('cpu_count', '?')} × {cpu}"


def versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in _PACKAGES)


def quantity(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value:,.0f} B"
    if value >= 1e-3:
        return f"{value * 1e3:,.1f} ms"
    return f"{value * 1e6:.2f} µs"


def lines(measured: Measured) -> Iterator[str]:
    """A row: what each contestant needed, then its targets."""
    row = measured.row
    figures = (f"{name} {quantity(measured.median(name), row.unit)}" for name in measured.values)
    yield f"{row.name}: per {row.per} {', '.join(figures)}"
    for target in row.targets:
        value = target.value(measured.values)
        mark = "" if target.met(value) else "   MISS"
        yield f"    {target.reached(value):>10}   {target.wanted()}{mark}"


def as_json(measured: Measured) -> dict[str, Any]:
    row = measured.row
    values = [(target, target.value(measured.values)) for target in row.targets]
    return {
        "row": row.name,
        "unit": row.unit,
        "per": row.per,
        "values": dict(measured.values),
        "targets": [{"target": target.wanted(), "value": value, "met": target.met(value)} for target, value in values],
    }
